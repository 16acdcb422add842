import numpy as np
import pytest

from segnet_hpu.data.classes import class_names, palette
from segnet_hpu.errors import UsageError
from segnet_hpu.inference import render

COLOURS = palette("camvid", 11)
LABEL = np.random.default_rng(0).integers(0, 11, (40, 60)).astype(np.uint8)


def runs(dark):
    """[(start, stop), ...] of the stretches where a boolean vector is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], dark.astype(int), [0]])))
    return list(zip(edges[::2], edges[1::2], strict=True))


def test_mask_has_the_palette_s_colours():
    for label in (LABEL, LABEL.astype(np.int64)):
        picture = render.colour_mask(label, COLOURS)
        np.testing.assert_array_equal(picture, COLOURS[LABEL])
        assert picture.dtype == np.uint8


@pytest.mark.parametrize("unknown", [11, 200, 255])
def test_ids_without_colour_are_black_and_hatched(unknown):
    picture = render.colour_mask(np.full((32, 32), unknown, np.uint8), COLOURS)
    np.testing.assert_array_equal(picture, render.colour_mask(np.full((32, 32), 255), COLOURS))
    assert {tuple(c) for c in picture.reshape(-1, 3).tolist()} == {(0, 0, 0), render.HATCH}


def test_overlay_blends():
    image = np.random.default_rng(1).integers(0, 256, (40, 60, 3)).astype(np.uint8)
    expected = 0.75 * image + 0.25 * COLOURS[LABEL]
    assert np.abs(render.overlay(image, LABEL, COLOURS, 0.25) - expected).max() <= 1
    np.testing.assert_array_equal(render.overlay(image, LABEL, COLOURS, 0), image)
    with pytest.raises(UsageError, match="expected one size"):
        render.overlay(image[:20], LABEL, COLOURS)


def test_overlay_leaves_the_image_where_a_class_is_black():
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    label = np.array([[0, 0, 0, 1, 1, 255]] * 4, np.uint8)
    found = render.overlay(image, label, palette("000000,00ff00", 2))
    np.testing.assert_array_equal(found[:, :3], image[:, :3])
    assert np.abs(found[:, 3:5] - (0.5 * image[:, 3:5] + [0, 127.5, 0])).max() <= 1
    assert (found[:, 5] < image[:, 5]).any()  # no class of the palette's: dark and hatched, as in a mask


@pytest.mark.parametrize("n", [1, 2, 12, 40, 150])
@pytest.mark.parametrize("height", [1, 20, 100, 360, 1500])
def test_legend_shows_every_colour_at_any_height(n, height):
    colours = palette(None, n)
    picture = render.legend(class_names(None, n), colours, height)
    assert picture.dtype == np.uint8 and picture.shape[0] == max(height, render.ROW)
    shown = {tuple(c) for c in np.unique(picture.reshape(-1, 3), axis=0).tolist()}
    assert {tuple(c) for c in colours.tolist()} <= shown


@pytest.mark.parametrize("name", ["w" * 60, "a very long class name, much longer than a column", "i" * 300])
def test_long_names_stay_inside_their_column(name):
    # Two columns of one row: between and behind them paper must remain.
    picture = render.legend([name, name], np.array([[255, 0, 0], [0, 0, 255]], np.uint8), render.ROW)
    used = runs((picture != 255).any(axis=(0, 2)))
    blue_starts = int(np.flatnonzero((picture == [0, 0, 255]).all(2).any(0))[0])
    text_ends = max(stop for _, stop in used if stop <= blue_starts)
    assert blue_starts - text_ends >= 4
    assert used[-1][1] <= picture.shape[1] - 2


def test_rows_of_a_legend_do_not_touch():
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    text = render.legend(["gjpqy", "ABCgjy"], colours, 2 * render.ROW)[:, render.ROW + 2:] < 200
    upper, lower = np.split(text.any(axis=(1, 2)), 2)
    assert upper.any() and lower.any() and not upper[-1] and not lower[0]


def test_shortened_text_fits():
    text = render.shorten("pedestrian crossing", 80, render.ROW)
    assert text.endswith("...") and "pedestrian".startswith(text[:4])
    assert render.text_width(text, render.ROW) <= 80
    assert render.shorten("car", 80, render.ROW) == "car"
    assert render.shorten("car", 1, render.ROW) == ""


def test_legend_beside_a_picture():
    picture = COLOURS[LABEL]
    whole = render.with_legend(picture, class_names("camvid", 11), COLOURS, present_ids=np.array([3, 8]))
    np.testing.assert_array_equal(whole[:40, :60], picture)
    shown = {tuple(c) for c in whole[:, 60:].reshape(-1, 3).tolist()}
    assert {tuple(COLOURS[3]), tuple(COLOURS[8])} <= shown and tuple(COLOURS[4]) not in shown


def test_ids_without_name_share_one_entry():
    with_unknown = render.legend(["a"], COLOURS[:1], 100, ids=[0, 7, 255])
    np.testing.assert_array_equal(with_unknown, render.legend(["a"], COLOURS[:1], 100, ids=[255, 0]))
    assert (with_unknown == render.HATCH).all(2).any()


def test_legend_of_no_class_is_empty():
    picture = COLOURS[LABEL]
    np.testing.assert_array_equal(render.with_legend(picture, ["a"], COLOURS[:1], []), picture)


def test_grid_holds_every_picture_whole():
    sizes = [[(10, 20), (30, 5)], [(12, 50)]]
    pictures = [[np.full((*size, 3), 40 + 50 * r + 20 * c, np.uint8) for c, size in enumerate(row)]
                for r, row in enumerate(sizes)]
    sheet = render.grid(pictures, [["first", "a caption that is much too long"], [""]])
    for r, row in enumerate(sizes):
        for c, (height, width) in enumerate(row):
            found = (sheet == 40 + 50 * r + 20 * c).all(2)
            rows, columns = np.flatnonzero(found.sum(1) >= width), np.flatnonzero(found.sum(0) >= height)
            assert len(rows) == height and len(columns) == width
    # The long caption is cut before its narrow column ends: nothing is drawn on the sheet's edge.
    assert (sheet[:, -1] == 255).all()
