"""What is said where files are missing or lie elsewhere; light reading of names; flat memory."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

import made_datasets as made
from segnet_hpu.data.datasets import NAMES, find, open_dataset
from segnet_hpu.data.datasets.layout import LayoutError, expected_paths, tree
from segnet_hpu.data.verify import verify_split
from segnet_hpu.errors import UsageError


def refusal(name, root, split="train"):
    """The lines of the refusal to open a data set."""
    with pytest.raises(LayoutError) as error:
        open_dataset(name, root, split)
    assert isinstance(error.value, UsageError)
    return str(error.value).splitlines()


def test_expected_tree_stands_beside_what_was_found(tmp_path):
    made.write(tmp_path / "leftImg8bit/val/bonn/x_leftImg8bit.png", made.noise((4, 4)))
    assert refusal("cityscapes", tmp_path, "val") == [
        f"--dataset cityscapes: {tmp_path} has no folder gtFine/val",
        "expected (* stands for any text):",
        f"  {tmp_path}/",
        "    leftImg8bit/", "      train/", "        */", "          *_leftImg8bit.png",
        "      val/", "        */", "          *_leftImg8bit.png",
        "    gtFine/", "      train/", "        */", "          *_gtFine_labelIds.png",
        "      val/", "        */", "          *_gtFine_labelIds.png",
        "found:",
        f"  {tmp_path}/",
        "    leftImg8bit/", "      val/", "        bonn/", "          x_leftImg8bit.png"]


def test_missing_root_and_empty_root(tmp_path):
    nowhere = tmp_path / "nowhere"
    lines = refusal("voc", nowhere)
    assert lines[0] == f"--dataset voc: {nowhere}: no such folder" and lines[-1].strip() == "(no such folder)"
    lines = refusal("voc", tmp_path)
    assert lines[0] == f"--dataset voc: {tmp_path} has no folder JPEGImages" and lines[-1].strip() == "(nothing)"
    assert lines[3:-3] == ["    JPEGImages/", "      *.jpg", "    SegmentationClass/", "      *.png",
                           "    ImageSets/", "      Segmentation/", "        train.txt", "        val.txt",
                           "        trainval.txt"]


@pytest.mark.parametrize("given, there", [("", "VOCdevkit/VOC2012"), ("VOCdevkit", "VOCdevkit/VOC2012"),
                                          ("VOCdevkit/VOC2012/JPEGImages", "VOCdevkit/VOC2012")])
def test_misplaced_root_names_the_right_one(tmp_path, given, there):
    made.voc(tmp_path / "VOCdevkit/VOC2012")
    first = refusal("voc", tmp_path / given)[0]
    assert first.endswith(f"it seems to lie in {tmp_path / there}: give that as --data_root")


def test_images_without_label(tmp_path):
    made.cityscapes(tmp_path, n=2)
    labels = sorted(tmp_path.glob("gtFine/train/*/*_labelIds.png"))
    for label in labels[:2]:
        label.unlink()
    first = refusal("cityscapes", tmp_path)[0]
    assert "aachen_000000_000019_leftImg8bit.png has no label" in first and f"{labels[0]} (and 1 more such)" in first
    source, faults = verify_split("cityscapes", tmp_path, "train", 19)
    assert len(source) == 2 and [str(labels[i]) in fault.what for i, fault in enumerate(faults)] == [True, True]


def test_listed_images_that_are_missing(tmp_path):
    made.voc(tmp_path)
    (tmp_path / "JPEGImages/a.jpg").unlink()
    assert refusal("voc", tmp_path)[0] == f"--dataset voc: {tmp_path}/JPEGImages/a.jpg is missing"
    (tmp_path / "ImageSets/Segmentation/train.txt").unlink()
    assert refusal("voc", tmp_path)[0].endswith("has no file ImageSets/Segmentation/train.txt")


def test_verify_lists_what_is_wrong_with_labels_after_the_mapping(tmp_path):
    made.cityscapes(tmp_path, n=2)
    wrong = sorted(tmp_path.glob("gtFine/val/*/*_labelIds.png"))
    made.write(wrong[0], made.values((32, 64), 7, 99))
    made.write(wrong[1], made.values((32, 60), 7))
    wrong[2].write_bytes(wrong[2].read_bytes()[:60])
    _, faults = verify_split("cityscapes", tmp_path, "val", 19)
    assert [fault.file for fault in faults] == list(map(str, wrong[:3]))
    assert ["value 99" in faults[0].what, "60x32" in faults[1].what, "truncated" in faults[2].what] == [True] * 3
    assert verify_split("cityscapes", tmp_path, "train", 19)[1] == []


def test_names_are_read_without_numpy_and_opencv():
    code = ("import sys; from segnet_hpu.data.datasets import NAMES, find; [find(name).palette for name in NAMES];"
            "import segnet_hpu.training.settings; sys.exit('numpy' in sys.modules or 'cv2' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=os.path.dirname(made.__file__) + "/..").returncode == 0


def test_memory_stays_flat_over_20_000_files(tmp_path):
    """The list of 20,000 pairs is small, and reading on through the files adds nothing to it."""
    made.write(tmp_path / "image.jpg", made.noise((48, 64)))
    made.write(tmp_path / "label.png", made.values((48, 64), 1, 150))
    for kind in ("images", "annotations"):
        (tmp_path / kind / "training").mkdir(parents=True)
    for i in range(20000):
        os.link(tmp_path / "image.jpg", tmp_path / f"images/training/ADE_train_{i:08}.jpg")
        os.link(tmp_path / "label.png", tmp_path / f"annotations/training/ADE_train_{i:08}.png")
    find("ade20k")
    tracemalloc.start()
    try:
        source = open_dataset("ade20k", tmp_path, "train")
        listed, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for i in range(0, 20000, 40):
            assert source[i][1].max() == 149
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(source) == 20000 and listed < 20000 * 700
    assert after - listed < 100_000 and peak - listed < 1_000_000


@pytest.mark.parametrize("name", NAMES)
def test_documented_trees_are_those_of_the_code(name):
    text = (Path(made.__file__).parents[1] / "docs/datasets.md").read_text()
    dataset = find(name)
    assert "\n".join(tree("ROOT", expected_paths(dataset.files.values()))) in text
    assert f"| `{name}` | {dataset.n_classes or 'yours'} | {', '.join(dataset.splits)} |" in text
