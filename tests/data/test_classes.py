import numpy as np
import pytest

from segnet_hpu.constants import MAX_CLASSES
from segnet_hpu.data.classes import (
    CLASS_NAMES,
    PALETTES,
    class_names,
    palette,
    parse_palette,
    split_names,
)
from segnet_hpu.errors import UsageError

SIZES = {"camvid": 12, "cityscapes": 19, "voc": 21, "ade20k": 150, "ade20k_raw": 151, "kitti_road": 2,
         "coco_stuff": 182, "coco_stuff_171": 171}


def test_every_data_set_has_a_name_and_a_colour_for_each_class():
    assert set(CLASS_NAMES) == set(PALETTES) == set(SIZES)
    for name, n in SIZES.items():
        assert len(class_names(name, n)) == n and all(class_names(name, n))
        assert palette(name, n).shape == (n, 3) and palette(name, n).dtype == np.uint8


def test_published_colours():
    assert palette("voc", 21)[[0, 1, 8, 15, 20]].tolist() == [
        [0, 0, 0], [128, 0, 0], [64, 0, 0], [192, 128, 128], [0, 64, 128]]
    assert palette("camvid", 12)[[0, 3, 4, 11]].tolist() == [
        [128, 128, 128], [128, 64, 128], [60, 40, 222], [0, 0, 0]]
    assert palette("cityscapes", 19)[[0, 10, 18]].tolist() == [[128, 64, 128], [70, 130, 180], [119, 11, 32]]
    assert palette("ade20k", 150)[[0, 2, 149]].tolist() == [[120, 120, 120], [6, 230, 230], [92, 0, 255]]
    np.testing.assert_array_equal(palette("ade20k_raw", 151)[1:], palette("ade20k", 150))


def test_ade20k_names_follow_its_own_table(real_data):
    lines = (real_data / "ade20k/objectInfo150.csv").read_text().splitlines()[1:]
    for name, line in zip(class_names("ade20k", 150), lines, strict=True):
        assert line.split(",")[5].replace(";", " ").startswith(name)


def test_fewer_classes_take_the_first():
    assert class_names("camvid", 11)[-1] == "bicyclist"
    assert class_names(None, 2) == ["class 0", "class 1"]


def test_generated_colours_all_differ_and_none_is_dark():
    colours = palette(None, MAX_CLASSES).astype(int)
    assert len(np.unique(colours, axis=0)) == MAX_CLASSES
    assert colours.max(1).min() > 100
    first = colours[:12]
    distance = np.linalg.norm(first[:, None] - first[None], axis=2) + 999 * np.eye(12)
    assert distance.min() > 80


def test_colours_of_one_s_own():
    assert palette("ff0000,00FF80", 2).tolist() == [[255, 0, 0], [0, 255, 128]]
    assert palette("804080", 1).tolist() == [[128, 64, 128]]
    assert class_names("ff0000,00ff80", 2) == ["class 0", "class 1"]
    with pytest.raises(UsageError, match="has 2 classes but there are 3"):
        palette("ff0000,00ff80", 3)
    assert parse_palette("ff0000,00ff80") == "ff0000,00ff80" and parse_palette("voc") == "voc"
    for wrong in ("ff00", "ff0000;00ff80", "vok"):
        with pytest.raises(ValueError, match="known are ade20k, ade20k_raw, camvid, cityscapes, "):
            parse_palette(wrong)


def test_unknown_palette_names_the_nearest():
    with pytest.raises(UsageError, match="'cityscape' is unknown.*Did you mean cityscapes"):
        palette("cityscape", 19)


def test_more_classes_than_the_palette_has():
    for table in (palette, class_names):
        with pytest.raises(UsageError, match="camvid has 12 classes but there are 13"):
            table("camvid", 13)


def test_names_from_a_flag():
    assert split_names("sky, traffic light,road", 3) == ["sky", "traffic light", "road"]
    for text in ("sky,road", "sky,,road"):
        with pytest.raises(UsageError, match="holds 2 names; expected 3"):
            split_names(text, 3)
