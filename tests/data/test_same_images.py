"""Images of two splits are compared by their files and by what these hold; all commands tell it in the same words."""

import shutil

import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.cli import main
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.shared_images import same_images, shared_images


@pytest.fixture
def splits(tmp_path):
    """Three pairs of train and two of val, in folders; returns the folder."""
    label = np.repeat(np.arange(3, dtype=np.uint8), 256).reshape(24, 32)
    for split, stems in (("train", "abc"), ("val", "de")):
        for stem in stems:
            made.write(tmp_path / f"data/images/{split}/{stem}.bmp", made.noise((24, 32)))  # all as many bytes
            made.write(tmp_path / f"data/labels/{split}/{stem}.png", label)
    return tmp_path


def said(folder, capsys):
    """What inspect and verify tell of the folder's description."""
    assert main(["dataset", "inspect", str(folder / "data"), "--out", str(folder / "d.yaml")]) == 0
    inspected = capsys.readouterr().out
    assert main(["verify_dataset", "--dataset", str(folder / "d.yaml")]) == 0
    (folder / "d.yaml").unlink()
    return inspected, capsys.readouterr().err


def test_different_images_are_not_told(splits, capsys):
    assert not any("trained with" in text for text in said(splits, capsys))


@pytest.mark.parametrize("put", [shutil.copy, lambda path, other: other.symlink_to(path),
                                 lambda path, other: other.hardlink_to(path)])
def test_one_picture_under_two_names(splits, capsys, put):
    images = splits / "data/images"
    (images / "val/e.bmp").unlink()
    put(images / "train/b.bmp", images / "val/e.bmp")
    for text in said(splits, capsys):
        line = next(line for line in text.splitlines() if "1 of 2 images for validation are trained with" in line)
        for name in ("val/e.bmp, the same picture as", "train/b.bmp"):
            assert name in line


def test_the_same_files(tmp_path):
    pairs = []
    for stem in "ab":
        made.write(tmp_path / f"{stem}.png", made.noise((4, 4)))
        pairs.append(Pair(str(tmp_path / f"{stem}.png"), ""))
    assert shared_images(pairs, pairs[1:]).startswith(
        f"1 of 1 images for validation are trained with as well, such as {tmp_path}/b.png: their scores")
    assert shared_images(pairs[:1], pairs[1:]) is None and shared_images([], pairs) is None


def test_pictures_that_differ_in_one_byte(tmp_path):
    pixels = made.noise((200, 200))
    cv2.imwrite(str(tmp_path / "a.bmp"), pixels)
    pixels[0, 0, 0] ^= 1
    cv2.imwrite(str(tmp_path / "b.bmp"), pixels)
    assert same_images([str(tmp_path / "a.bmp")], [str(tmp_path / "b.bmp")]) == {}


def test_a_file_that_cannot_be_read_is_no_copy(tmp_path):
    assert same_images([str(tmp_path / "gone.png")], [str(tmp_path / "lost.png")]) == {}
