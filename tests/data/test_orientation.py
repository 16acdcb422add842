"""Orientation tags: pictures are read as a viewer shows them, by one rule for all formats."""

import struct

import cv2
import made_tagged
import numpy as np
import pytest

from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.errors import UsageError

BGR = np.random.default_rng(0).integers(0, 256, (6, 10, 3)).astype(np.uint8)
# Exif 2.32, 4.6.4: where the stored pictures' first row and first column are seen.
FIRST_ROW_AND_COLUMN = {1: ("top", "left"), 2: ("top", "right"), 3: ("bottom", "right"), 4: ("bottom", "left"),
                        5: ("left", "top"), 6: ("right", "top"), 7: ("right", "bottom"), 8: ("left", "bottom")}
MAKERS = {"jpg": made_tagged.jpeg, "png": made_tagged.png, "webp": made_tagged.webp,
          "tif": lambda bgr, tag, order: made_tagged.tiff(bgr[..., ::-1], tag, order)}


def seen(stored, tag):
    """The picture pixel by pixel, from the standard's words."""
    row_side, column_side = FIRST_ROW_AND_COLUMN[tag]
    height, width = stored.shape[:2]
    swapped = row_side in ("left", "right")
    picture = np.zeros((width, height, 3) if swapped else stored.shape, np.uint8)
    for y in range(height):
        for x in range(width):
            across = {"left": y, "right": height - 1 - y} if swapped else {"left": x, "right": width - 1 - x}
            down = {"top": x, "bottom": width - 1 - x} if swapped else {"top": y, "bottom": height - 1 - y}
            sides = (column_side, row_side) if swapped else (row_side, column_side)
            picture[down[sides[0]], across[sides[1]]] = stored[y, x]
    return picture


@pytest.mark.parametrize("ending", MAKERS)
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_tag_is_followed(tmp_path, ending, order):
    path = tmp_path / f"a.{ending}"
    path.write_bytes(MAKERS[ending](BGR, 1, order))
    stored = read_image(path)
    if ending != "jpg":
        np.testing.assert_array_equal(stored, BGR[..., ::-1])
    for tag in FIRST_ROW_AND_COLUMN:
        path.write_bytes(MAKERS[ending](BGR, tag, order))
        np.testing.assert_array_equal(read_image(path), seen(stored, tag), f"tag {tag}")
        np.testing.assert_array_equal(read_image(path, coding=ImageCoding("as_stored")), stored, f"tag {tag}")
        assert read_image(path, channels=1).shape[:2] == seen(stored, tag).shape[:2]


def test_opencv_turns_a_jpeg_alike(tmp_path):
    for tag in FIRST_ROW_AND_COLUMN:
        (tmp_path / "a.jpg").write_bytes(made_tagged.jpeg(BGR, tag))
        np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), cv2.imread(str(tmp_path / "a.jpg"))[..., ::-1])


@pytest.mark.parametrize("ending", MAKERS)
@pytest.mark.parametrize("tag", [0, 9, 65535])
def test_tags_that_mean_nothing_turn_nothing(tmp_path, ending, tag):
    (tmp_path / f"a.{ending}").write_bytes(MAKERS[ending](BGR, tag, "<"))
    assert read_image(tmp_path / f"a.{ending}").shape == BGR.shape


def test_the_first_exif_segment_of_a_jpeg_counts_wherever_it_stands(tmp_path):
    """Segments may stand behind the frame's header; a second one of Exif continues the first, or is ignored."""
    tagged, plain = made_tagged.jpeg(BGR, 6), cv2.imencode(".jpg", BGR)[1].tobytes()
    segment = tagged[2:2 + len(tagged) - len(plain)]
    scan, more = plain.index(b"\xff\xda"), b"\xff\xe1" + struct.pack(">H", 12) + b"Exif\0\0more"
    (tmp_path / "plain.jpg").write_bytes(plain)
    upright = seen(read_image(tmp_path / "plain.jpg"), 6)
    for content in (plain[:scan] + segment + plain[scan:], plain[:2] + segment + more + plain[2:]):
        (tmp_path / "a.jpg").write_bytes(content)
        np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), upright)


def test_16_bit_tiff_is_turned_too(tmp_path):
    deep = BGR[..., ::-1].astype(np.uint16) * 257
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(deep, 6))
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), seen(BGR[..., ::-1], 6))


def test_damaged_exif_data_turn_nothing(tmp_path):
    whole = made_tagged.jpeg(BGR, 6)
    start = whole.index(b"II*")
    for at in range(start, start + 22):
        (tmp_path / "a.jpg").write_bytes(whole[:at] + b"\xfe" + whole[at + 1:])
        assert read_image(tmp_path / "a.jpg").shape in ((6, 10, 3), (10, 6, 3))


def test_label_with_a_tag_is_refused(tmp_path):
    grey = np.zeros((6, 10), np.uint8)
    (tmp_path / "a.png").write_bytes(made_tagged.png(grey, 6))
    with pytest.raises(UsageError, match=r"a\.png carries the orientation tag 6"):
        read_label(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes(made_tagged.png(grey, 1))
    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), grey)
