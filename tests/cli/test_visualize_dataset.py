import importlib.util

import cv2
import numpy as np
import pytest

from segnet_hpu.data.classes import palette


@pytest.fixture
def folders(tmp_path):
    """Arguments that name a data set of three pairs, wider than a cell, with ids 0..2 and 255."""
    label = np.zeros((300, 600), np.uint8)
    label[:100], label[100:200], label[290:] = 1, 2, 255
    for folder, pixels in (("images", np.full((300, 600, 3), 90)), ("labels", label)):
        (tmp_path / folder).mkdir()
        for stem in "abc":
            cv2.imwrite(str(tmp_path / folder / f"{stem}.png"), pixels.astype(np.uint8))
    return ["visualize_dataset", "--images_path", "images", "--segs_path", "labels", "--n_classes", 3,
            "--ignore_label", 255]


def shares(path, colours):
    """The share of the picture's pixels that have each colour."""
    picture = cv2.imread(str(path))[:, :, ::-1]
    return [float((picture == colour).all(2).mean()) for colour in colours]


def test_sheet_shows_labels_in_the_palette_s_colours(cli, folders, tmp_path):
    done = cli(*folders, "--palette", "cityscapes", "--n", 2, "--out", "sheet.png")
    assert (done.returncode, done.stdout, done.stderr) == (0, "sheet.png\n", "")
    height, width = cv2.imread(str(tmp_path / "sheet.png")).shape[:2]
    assert 2 * 240 < height < 2 * 300 and 3 * 480 < width < 3 * 600
    # Each class fills a third of each of the two labels of 240x480 (id 0 a bit less), and a swatch.
    for share in shares(tmp_path / "sheet.png", palette("cityscapes", 3)):
        assert share * height * width == pytest.approx(2 * 80 * 480, rel=0.15)


def test_more_pairs_than_there_are_and_own_names(cli, folders, tmp_path):
    done = cli(*folders, "--n", 50, "--class_names", "ground,sky,tree", "--out", "sheet.jpg")
    assert done.returncode == 0 and 3 * 240 < cv2.imread(str(tmp_path / "sheet.jpg")).shape[0] < 3 * 300


def test_seed_chooses_the_pairs(cli, folders, tmp_path):
    for stem, grey in zip("abc", (10, 110, 210), strict=True):
        cv2.imwrite(str(tmp_path / f"images/{stem}.png"), np.full((300, 600, 3), grey, np.uint8))
    names = ["0.png", "again.png", "1.png", "2.png", "3.png"]
    for name, seed in zip(names, (0, 0, 1, 2, 3), strict=True):
        assert cli(*folders, "--n", 1, "--seed", seed, "--out", name).returncode == 0
    contents = [(tmp_path / name).read_bytes() for name in names]
    assert contents[0] == contents[1] and len(set(contents)) > 1


@pytest.mark.skipif(importlib.util.find_spec("segnet_hpu.data.preprocessing") is None,
                    reason="needs segnet_hpu.data.preprocessing")
def test_augmented_pairs_differ_from_the_files_but_not_between_runs(cli, folders, tmp_path):
    for name, flags in (("plain.png", []), ("one.png", ["--do_augment"]), ("two.png", ["--do_augment"])):
        done = cli(*folders, "--n", 2, "--out", name, *flags)
        assert done.returncode == 0, done.stderr
    plain, one, two = ((tmp_path / name).read_bytes() for name in ("plain.png", "one.png", "two.png"))
    assert one == two != plain


@pytest.mark.parametrize("flags, words", [
    (["--palette", "camvit"], "Did you mean camvid"),
    (["--palette", "kitti_road"], "kitti_road has 2 classes but there are 3"),
    (["--class_names", "a,b"], "expected 3"),
    (["--out", "sheet.tiff"], "--out sheet.tiff"),
    (["--out", "labels/a.png/sheet.png"], "--out labels/a.png/sheet.png"),
    (["--n", "0"], "--n is 0"),
    (["--images_path", "nowhere"], "nowhere: cannot be read"),
])
def test_refusals(cli, folders, tmp_path, flags, words):
    done = cli(*folders, *flags)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "labels"]


def test_a_label_that_is_not_drawn_is_refused_too(cli, folders, tmp_path):
    """As by verify_dataset; whichever pair is drawn."""
    label = cv2.imread(str(tmp_path / "labels/b.png"), cv2.IMREAD_UNCHANGED)
    label[0, 0] = 9
    cv2.imwrite(str(tmp_path / "labels/b.png"), label)
    for seed in range(3):
        done = cli(*folders, "--n", 1, "--seed", seed, "--out", "sheet.png")
        assert done.returncode == 2 and "labels/b.png holds ids outside 0..2: 9 (1 pixels)" in done.stderr
    assert not (tmp_path / "sheet.png").exists()
