"""Folders in all the layouts that people have, each described by `inspect_folder` and read back as a data set."""

import os

import cv2
import numpy as np
import pytest

from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.inspection.describe import inspect_folder
from toy import COLOURS

SIZE = (24, 32)
RNG = np.random.default_rng(5)
LABELS = RNG.integers(0, 3, (8, 4, 4)).repeat(6, 1).repeat(8, 2).astype(np.uint8)  # blocks, as labels have them
IMAGES = np.clip(COLOURS[LABELS] + RNG.normal(0, 20, (8, *SIZE, 3)), 0, 255).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def fill(root, *patterns, names=("a", "b", "c"), code=lambda label: label, start=0):
    """Write an image and labels of each name by patterns with {}; the first is the image's."""
    for i, name in enumerate(names, start):
        write(root / patterns[0].format(name), IMAGES[i])
        for pattern in patterns[1:]:
            write(root / pattern.format(name), code(LABELS[i]))


def described(root, class_names=None):
    """The written description of a folder, and what it was made of."""
    found = inspect_folder(str(root), ".", class_names)
    (root / "found.yaml").write_text(found.text())
    return str(root / "found.yaml"), found


def check(root, expected):
    """What the description reads is each image with its own label; expected: {split: first and number of pairs}."""
    path, found = described(root)
    assert found.pairs == {split: count for split, (_, count) in expected.items()}
    for split, (start, count) in expected.items():
        source = open_dataset(path, None, split)
        assert len(source) == count
        for i in range(count):
            image, label = source[i]
            np.testing.assert_array_equal(label, LABELS[start + i])
            differences = np.abs(image[..., ::-1].astype(int) - IMAGES).mean(axis=(1, 2, 3))
            assert differences.argmin() == start + i  # not 0, of JPEG
    return found


@pytest.mark.parametrize("below, expected", [
    ("images/more/{}.png labels/more/{}.png", {"train": (0, 3)}),
    ("images/more/{}.png labels/more/{}_other.png", {"train": (0, 3)}),  # of which two folders would refuse each file
    ("images/val/{}.png labels/val/{}.png", {"train": (0, 3), "val": (3, 3)}),
])
def test_files_beside_subfolders_are_read_without_these(tmp_path, below, expected):
    fill(tmp_path, "images/{}.png", "labels/{}.png")
    fill(tmp_path, *below.split(), start=3)
    found = check(tmp_path, expected)
    assert found.description["splits"]["train"] == {"images": "images/*.png", "labels": "labels/*.png"}
    left_out = [line for line in found.oddities if "images/more" in line]
    assert bool(left_out) == ("val" not in expected)


@pytest.mark.parametrize("further", ["labels/{}.tif"])
def test_files_of_another_suffix_and_the_same_stems_are_not_read(tmp_path, further):
    fill(tmp_path, "images/{}.png", "labels/{}.png")
    fill(tmp_path, further, start=3)
    check(tmp_path, {"train": (0, 3)})


@pytest.mark.parametrize("others", [["extra"], ["extra", "more"]])
def test_a_folder_of_another_name_beside_the_splits_is_left_out_and_told(tmp_path, others):
    for start, folder in enumerate(["Train", "validate", *others]):
        fill(tmp_path, f"{folder}/images/{{}}.png", f"{folder}/masks/{{}}.png", start=start)
    found = check(tmp_path, {"train": (0, 3), "val": (1, 3)})
    for folder in others:
        assert any(f"3 more pairs are left out, {folder}/images" in line for line in found.oddities)


ONE_FOLDER = {
    "words": ("images/{}.jpg", "labels/{}.png"),
    "masks": ("imgs/{}.png", "masks/{}.png"),
    "below annotations": ("images/{}.jpg", "annotations/trimaps/{}.png"),
    "no words": ("A/{}.png", "B/{}.png"),
    "suffix": ("photos/{}.jpg", "truth/{}_mask.png"),
    "prefixes": ("images/img_{}.png", "gt/gt_{}.png"),
    "one folder, two formats": ("{}.jpg", "{}.png"),
    "one folder, suffix": ("{}.jpg", "{}_mask.png"),
    "one folder and format, suffix": ("{}.png", "{}_mask.png"),
    "one folder, two suffixes": ("data/{}_sat.jpg", "data/{}_mask.png"),
    "folder a case": ("case_{}/image.png", "case_{}/label.png"),
    "infix": ("training/image_2/um_{}.png", "training/gt_image_2/um_road_{}.png"),
    "CamVid": ("701_StillsRaw_full/0001TP_{}.png", "LabeledApproved_full/0001TP_{}_L.png"),
    "Potsdam": ("2_Ortho_RGB/top_potsdam_{}_RGB.png", "5_Labels/top_potsdam_{}_label.png"),
    "Supervisely": ("ds/img/{}.jpg", "ds/masks_machine/{}.jpg.png"),
    "DRIVE": ("images/{}_training.png", "1st_manual/{}_manual1.png"),
    "VOC": ("JPEGImages/{}.jpg", "SegmentationClass/{}.png"),
    "blanks": ("benign/benign ({}).png", "benign/benign ({})_mask.png"),
    "stars": ("images/a*b{}.png", "labels/a*b{}.png"),
    "nested": ("x/y/images/{}.png", "x/y/labels/{}.png"),
}


@pytest.mark.parametrize("names", [("a", "b", "c"), ("001", "002", "010"), ("0016E5_04350", "0016E5_04380", "f_1")])
@pytest.mark.parametrize("patterns", ONE_FOLDER.values(), ids=ONE_FOLDER)
def test_layouts_of_one_part(tmp_path, patterns, names):
    fill(tmp_path, *patterns, names=names)
    found = check(tmp_path, {"train": (0, 3)})
    assert found.description["classes"] == ["class_0", "class_1", "class_2"] and not found.oddities


SPLITS = {
    "Roboflow": (("train/images/{}.jpg", "train/masks/{}.png"), ("valid/images/{}.jpg", "valid/masks/{}.png")),
    "splits below": (("images/train/{}.jpg", "annotations/train/{}.png"),
                     ("images/val/{}.jpg", "annotations/val/{}.png")),
    "ADE20K": (("images/training/{}.jpg", "annotations/training/{}.png"),
               ("images/validation/{}.jpg", "annotations/validation/{}.png")),
    "SegNet": (("train/{}.png", "trainannot/{}.png"), ("val/{}.png", "valannot/{}.png")),
    "in the folder's name": (("train_images/{}.png", "train_masks/{}.png"),
                             ("val_images/{}.png", "val_masks/{}.png")),
    "suffixes": (("train/{}.jpg", "train_masks/{}_mask.png"), ("val/{}.jpg", "val_masks/{}_mask.png")),
    "one folder each": (("train/{}.jpg", "train/{}_mask.png"), ("valid/{}.jpg", "valid/{}_mask.png")),
}


@pytest.mark.parametrize("patterns", SPLITS.values(), ids=SPLITS)
def test_layouts_of_two_parts(tmp_path, patterns):
    fill(tmp_path, *patterns[0])
    fill(tmp_path, *patterns[1], names=("d", "e"), start=3)
    assert not check(tmp_path, {"train": (0, 3), "val": (3, 2)}).oddities


def test_keras_segmentation_s_folders_whose_test_is_no_val(tmp_path):
    fill(tmp_path, "images_prepped_train/{}.png", "annotations_prepped_train/{}.png")
    fill(tmp_path, "images_prepped_test/{}.png", "annotations_prepped_test/{}.png", names="de", start=3)
    check(tmp_path, {"train": (0, 3), "test": (3, 2)})


@pytest.mark.parametrize("many", [2, 40])
def test_folders_that_differ_become_stars(tmp_path, many):
    """As Cityscapes has a folder a city, and labels of several kinds beside each other."""
    for k in range(many):
        fill(tmp_path, *(pattern.replace("CITY", f"city{k:02}") for pattern in (
            "leftImg8bit/train/CITY/{}_leftImg8bit.png", "gtFine/train/CITY/{}_gtFine_labelIds.png")), names="ab")
        for name in "ab":
            write(tmp_path / f"gtFine/train/city{k:02}/{name}_gtFine_color.png", COLOURS[LABELS[0]].astype(np.uint8))
    path, found = described(tmp_path)
    assert found.description["splits"] == {"train": {
        "images": "leftImg8bit/train/*/*_leftImg8bit.png", "labels": "gtFine/train/*/*_gtFine_labelIds.png"}}
    assert len(open_dataset(path, None, "train")) == 2 * many


def test_splits_within_shared_folders(tmp_path):
    for region in ("Urban", "Rural"):
        fill(tmp_path, f"Train/{region}/images_png/{{}}.png", f"Train/{region}/masks_png/{{}}.png")
        fill(tmp_path, f"Val/{region}/images_png/{{}}.png", f"Val/{region}/masks_png/{{}}.png", names="de", start=3)
    assert described(tmp_path)[1].description["splits"] == {
        "train": {"images": "Train/*/images_png/*.png", "labels": "Train/*/masks_png/*.png"},
        "val": {"images": "Val/*/images_png/*.png", "labels": "Val/*/masks_png/*.png"}}


def test_lists_divide_one_folder(tmp_path):
    fill(tmp_path, "JPEGImages/{}.jpg", "SegmentationClass/{}.png", "SegmentationObject/{}.png", names="abcde")
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("a\nb\nc\n")
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text("d\ne\n")
    (tmp_path / "readme.txt").write_text("These are a few pictures.\n")
    found = check(tmp_path, {"train": (0, 3), "val": (3, 2)})
    assert found.description["splits"]["val"] == {"images": "JPEGImages/*.jpg", "labels": "SegmentationClass/*.png",
                                                  "list": "ImageSets/Segmentation/val.txt"}


def test_suffixes_that_differ_make_lists_of_patterns(tmp_path):
    for i, suffix in enumerate(("jpg", "JPG", "png", "bmp")):
        fill(tmp_path, f"photos/{{}}.{suffix}", "masks/{}_gt.png", names="abcd"[i], start=i)
    found = check(tmp_path, {"train": (0, 4)})
    assert found.description["splits"]["train"]["images"] == ["photos/*.jpg", "photos/*.png", "photos/*.bmp"]


def test_one_folder_of_several_formats_needs_no_patterns(tmp_path):
    for i, suffix in enumerate(("jpg", "JPG", "png", "tif")):
        fill(tmp_path, f"photos/{{}}.{suffix}", "masks/{}.png", names="abcd"[i], start=i)
    found = check(tmp_path, {"train": (0, 4)})
    assert found.description["splits"]["train"] == {"images": "photos", "labels": "masks"}


def test_files_that_are_not_read_are_told_of(tmp_path):
    fill(tmp_path, "images/{}.jpg", "labels/{}.png")
    for name in ("a.gif", "b.gif", "a.json", "notes.md"):
        (tmp_path / "labels" / name).write_bytes(b"")
    assert any("files that are not read: 2 .gif, 1 .json; only" in line for line in described(tmp_path)[1].oddities)


def test_names_that_are_no_utf8(tmp_path):
    fill(tmp_path, "images/{}.png", "labels/{}.png")
    for folder in ("images", "labels"):
        os.rename(tmp_path / folder / "b.png", os.fsdecode(bytes(tmp_path / folder / "b") + b"\xe9.png"))
    check(tmp_path, {"train": (0, 3)})


def test_lists_of_paths_are_told_of(tmp_path):
    fill(tmp_path, "images/{}.jpg", "labels/{}.png")
    (tmp_path / "train.txt").write_text("images/a.jpg labels/a.png\nimages/b.jpg labels/b.png\n")
    assert any("train.txt lists paths" in line for line in described(tmp_path)[1].oddities)
