"""Data sets in generated official layouts and in real samples: label maps pixel by pixel, pairs, splits."""

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.data.classes import class_names, palette
from segnet_hpu.data.datasets import NAMES, find, open_dataset
from segnet_hpu.errors import UsageError

# From the published table of labels: https://github.com/mcordts/cityscapesScripts
CITYSCAPES = {7: 0, 8: 1, 11: 2, 12: 3, 13: 4, 17: 5, 19: 6, 20: 7, 21: 8, 22: 9, 23: 10, 24: 11, 25: 12, 26: 13,
              27: 14, 28: 15, 31: 16, 32: 17, 33: 18}


def raw(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def mapped(values, table):
    """The map that a loop over the table's entries makes; 255 elsewhere."""
    label = np.full(values.shape, 255, np.uint8)
    for value, class_id in table.items():
        label[values == value] = class_id
    return label


def check(source, expected):
    """Every image as it lies on disk, every label as expected(path) says."""
    for i, (image_path, label_path) in enumerate(source.pairs):
        image, label = source[i]
        np.testing.assert_array_equal(image, cv2.imread(image_path)[..., ::-1])
        np.testing.assert_array_equal(label, expected(label_path))
        assert label.dtype == np.uint8 and label.shape == image.shape[:2]


def test_every_one_has_names_and_colours():
    classes = {"camvid": 11, "cityscapes": 19, "kitti_road": 2, "coco_stuff": 182, "coco_stuff_171": 171,
               "coco_instances": 21, "voc": 21, "ade20k": 150, "loveda": 7, "folder": None}
    assert {name: find(name).n_classes for name in NAMES} == classes
    for dataset in map(find, set(NAMES) - {"folder"}):
        assert len(dataset.class_names) == len(palette(dataset.palette, dataset.n_classes)) == dataset.n_classes
        assert {"train", "val"} <= set(dataset.splits) and dataset.ignore_label == 255


def test_camvid(tmp_path):
    for split in ("train", "val", "test"):
        made.write(tmp_path / f"{split}/0001.png", made.noise((9, 12)))
        made.write(tmp_path / f"{split}annot/0001.png", made.values((9, 12), *range(12)))
    for split in find("camvid").splits:
        check(open_dataset("camvid", tmp_path, split), lambda p: mapped(raw(p), {i: i for i in range(11)}))


def test_camvid_as_published_by_the_authors(real_data):
    source = open_dataset("camvid", real_data / "camvid", "val")
    assert len(source) == 101 and source.name(0) == "0016E5_07959"
    source.pairs = source.pairs[::20]
    check(source, lambda p: mapped(raw(p), {i: i for i in range(11)}))


def test_cityscapes(tmp_path):
    made.cityscapes(tmp_path, n=2)
    source = open_dataset("cityscapes", tmp_path, "train")
    assert [source.name(i) for i in range(4)] == [f"{city}_{i:06}_000019_leftImg8bit" for city in ("aachen", "bonn")
                                                 for i in (0, 1)]
    check(source, lambda p: mapped(raw(p), CITYSCAPES))


def test_cityscapes_as_its_own_tools_map_it(real_data):
    source = open_dataset("cityscapes", real_data / "cityscapes", "val")
    assert len(source) == 1
    check(source, lambda p: mapped(raw(p), CITYSCAPES))
    # The sample's two files were made smaller apart from each other, so that they differ along edges.
    label, theirs = source[0][1], raw(source.pairs[0][1].replace("labelIds", "labelTrainIds"))
    assert (label == theirs).mean() > 0.997 and set(np.unique(label)) == set(np.unique(theirs))


def kitti_rule(path):
    """The rule of KITTI's development kit: valid where red is set, road where blue is."""
    label = raw(path)
    return np.where(label[..., 2] > 0, np.where(label[..., 0] > 0, 1, 0), 255)


def test_kitti_road(tmp_path):
    made.kitti(tmp_path, 13)
    splits = {split: open_dataset("kitti_road", tmp_path, split) for split in ("train", "val", "trainval")}
    assert [len(splits[split]) for split in ("train", "val", "trainval")] == [11, 2, 13]  # 13 x 48 / 289 = 2.2
    assert sorted(splits["train"].pairs + splits["val"].pairs) == splits["trainval"].pairs
    assert all("_road_" in label for _, label in splits["trainval"].pairs)
    for source in splits.values():
        check(source, kitti_rule)


def test_kitti_road_holds_out_48_of_289_the_same_ones_wherever_they_lie(tmp_path):
    for place in ("a", "b"):
        for i in range(289):
            for path in (f"image_2/um_{i:06}.png", f"gt_image_2/um_road_{i:06}.png"):
                file = tmp_path / place / "training" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    chosen = [open_dataset("kitti_road", tmp_path / place, "val") for place in ("a", "b")]
    assert len(chosen[0]) == 48 and len(open_dataset("kitti_road", tmp_path / "a", "train")) == 241
    names = [[source.name(i) for i in range(48)] for source in chosen]
    assert names[0] == names[1] and names[0][:3] == sorted(names[0])[:3]
    assert names[0][:3] == ["um_000002", "um_000003", "um_000004"]  # the choice stays what it is


def test_kitti_road_in_real_files(real_data):
    source = open_dataset("kitti_road", real_data / "kitti_road", "trainval")
    assert len(source) == 11
    check(source, kitti_rule)


def test_kitti_road_refuses_blended_colours(tmp_path):
    made.kitti(tmp_path, 3, colours=((255, 0, 255), (255, 0, 0), (255, 0, 128)))
    source = open_dataset("kitti_road", tmp_path, "trainval")
    with pytest.raises(UsageError, match=r"um_road_000000.png holds the colour ff0080; expected ff00ff, ff0000"):
        source[0]


def test_voc(tmp_path):
    made.voc(tmp_path)
    for split, names in (("train", ["b", "a"]), ("val", ["c"]), ("trainval", ["b", "a", "c"])):
        source = open_dataset("voc", tmp_path, split)
        assert [source.name(i) for i in range(len(source))] == names

    def indices(path):
        rows = zlib.decompress(Path(path).read_bytes().partition(b"IDAT")[2])
        return np.frombuffer(rows, np.uint8).reshape(20, 31)[:, 1:]

    check(source, lambda p: mapped(indices(p), {i: i for i in range(21)}))


def test_ade20k(real_data, tmp_path):
    for kind, files in (("images", "jpg"), ("annotations", "png")):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "validation").symlink_to(real_data / "ade20k" / kind)
        assert list((tmp_path / kind / "validation").glob(f"*.{files}"))
    source = open_dataset("ade20k", tmp_path, "val")
    assert len(source) == 3 and len({source[i][1].shape for i in range(3)}) == 3
    # 0 turns into 255 in 8 bits.
    check(source, lambda p: raw(p) - np.uint8(1))


def test_coco_stuff(tmp_path):
    made.coco_images(tmp_path, (20, 30), (16, 24))
    for i, size in ((1, (20, 30)), (2, (16, 24))):
        made.write(tmp_path / f"stuffthingmaps/val2017/{i:012}.png", made.values(size, *range(182), 255))
    check(open_dataset("coco_stuff", tmp_path, "val"), raw)


def test_coco_stuff_of_the_171_that_occur(tmp_path):
    unused = [11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90]  # category ids 12, 26, 29, ... less 1
    used = [i for i in range(182) if i not in unused]
    made.coco_images(tmp_path, (20, 30))
    path = tmp_path / "stuffthingmaps/val2017/000000000001.png"
    made.write(path, made.values((20, 30), *used, 255))
    check(open_dataset("coco_stuff_171", tmp_path, "val"),
          lambda p: mapped(raw(p), {v: i for i, v in enumerate(used)}))
    names = class_names("coco_stuff", 182)
    assert [names[i] for i in used] == class_names("coco_stuff_171", 171)
    assert [names[i] for i in (0, 90, 91, 181)] == ["person", "hair brush", "banner", "wood"]
    np.testing.assert_array_equal(palette("coco_stuff", 182)[used], palette("coco_stuff_171", 171))
    made.write(path, made.values((20, 30), 0, 11))
    with pytest.raises(UsageError, match="000000000001.png holds the value 11; expected 0, 1, 2"):
        open_dataset("coco_stuff_171", tmp_path, "val")[0]


@pytest.mark.parametrize("folders", [("images/{}", "annotations/{}"),
                                     ("images_prepped_{}", "annotations_prepped_{}")])
def test_folder(tmp_path, folders):
    val = "test" if "prepped" in folders[0] else "val"
    for split in ("train", val):
        for stem, suffix in (("b", "jpg"), ("a", "PNG")):
            made.write(tmp_path / folders[0].format(split) / f"{stem}.{suffix}", made.noise((8, 10)))
            made.write(tmp_path / folders[1].format(split) / f"{stem}.png", made.values((8, 10), 0, 3, 255))
    for split in ("train", "val"):
        source = open_dataset("folder", tmp_path, split)
        assert [source.name(i) for i in range(2)] == ["a", "b"]
        check(source, raw)
    void = source.ignoring(3)
    check(void, lambda p: mapped(raw(p), {0: 0}))
    check(source, raw)


def test_another_size_names_both_files(tmp_path):
    made.cityscapes(tmp_path)
    label = next((tmp_path / "gtFine/val/bonn").glob("*_labelIds.png"))
    made.write(label, made.values((24, 41), 7))
    source = open_dataset("cityscapes", tmp_path, "val")
    source[0]
    with pytest.raises(UsageError, match=f"{label} is 41x24 but .*bonn_000000_000019_leftImg8bit.png is 40x24"):
        source[1]


def test_a_value_that_is_no_label_id_names_the_file(tmp_path):
    made.cityscapes(tmp_path)
    label = next((tmp_path / "gtFine/val/aachen").glob("*_labelIds.png"))
    made.write(label, made.values((32, 64), 7, 34, 90))
    with pytest.raises(UsageError, match=f"{label} holds the value 34, 90; expected"):
        open_dataset("cityscapes", tmp_path, "val")[0]


@pytest.mark.parametrize("name, split, words", [
    ("camvit", "val", "unknown.*Did you mean camvid"),
    ("camvid", "vall", "camvid has no split 'vall'; expected train, val, test. Did you mean val"),
    ("cityscapes", "test", "cityscapes has no split 'test'; expected train, val"),
])
def test_unknown_names_and_splits(tmp_path, name, split, words):
    with pytest.raises(UsageError, match=words):
        open_dataset(name, tmp_path, split)
