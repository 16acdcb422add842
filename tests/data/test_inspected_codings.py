"""What labels hold, and the lines of a description that read them: values, colours, palettes, smooth edges."""

import cv2
import numpy as np
import pytest

import made_datasets as made
from made_png import png
from segnet_hpu.data.classes import palette
from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.data.datasets.palettes import PALETTES
from segnet_hpu.data.inspection.describe import inspect_folder
from segnet_hpu.data.verify import verify_pairs, verify_split
from segnet_hpu.errors import UsageError

BLOCKS = np.random.default_rng(1).integers(0, 3, (4, 6, 8)).repeat(8, 1).repeat(8, 2).astype(np.uint8)
COLOURS = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 220]], np.uint8)  # RGB


@pytest.fixture
def inspect(tmp_path):
    """Write labels of files' names and contents beside images of noise; inspect; return description and source."""
    def make(labels, class_names=None):
        for name, content in labels.items():
            size = (48, 64)
            if isinstance(content, np.ndarray):
                made.write(tmp_path / f"labels/{name}.png", content)
                size = content.shape[:2]
            else:
                (tmp_path / "labels").mkdir(exist_ok=True)
                (tmp_path / f"labels/{name}.png").write_bytes(content)
            made.write(tmp_path / f"images/{name}.png", made.noise(size))
        found = inspect_folder(str(tmp_path), ".", class_names)
        (tmp_path / "d.yaml").write_text(found.text())
        return found, open_dataset(str(tmp_path / "d.yaml"), None, "train")
    return make


def coded(table, n=4):
    """Labels a, b, ... of the blocks, their ids replaced by the table's entries."""
    return {"abcd"[i]: np.array(table)[BLOCKS[i]] for i in range(n)}


def check(source, expected=BLOCKS):
    for i in range(len(source)):
        np.testing.assert_array_equal(source[i].label, expected[i])


def test_training_ids_need_no_line(inspect):
    found, source = inspect(coded(np.array([0, 1, 255], np.uint8)))
    assert "label_values" not in found.description and found.description["classes"] == ["class_0", "class_1"]
    check(source, np.array([0, 1, 255], np.uint8)[BLOCKS])


@pytest.mark.parametrize("low, high, dtype", [(0, 255, np.uint8), (0, 1, np.uint8), (0, 128, np.uint8),
                                              (1, 2, np.uint8), (0, 65535, np.uint16)])
def test_masks_of_two_values(inspect, low, high, dtype):
    found, source = inspect(coded(np.array([low, high, high], dtype)))
    assert found.description["classes"] == ["background", "foreground"]
    check(source, BLOCKS > 0)


def test_masks_of_one_bit_beside_those_of_eight(inspect):
    labels = coded(np.array([0, 255, 255], np.uint8))
    labels["b"] = png(BLOCKS[1] > 0, 1)
    found, source = inspect(labels)
    assert found.description["label_values"] == {"background": 0, "foreground": [1, 255]}
    assert any("1 in some files and 255 in others" in line for line in found.oddities)
    check(source, BLOCKS > 0)


def test_palettes_of_which_some_have_0_and_1_and_some_0_and_255(inspect):
    """The foreground has one colour in the palette of the description."""
    table = np.zeros((256, 3), np.uint8)
    table[[1, 255]] = (200, 30, 40)
    masks = [np.where(BLOCKS[i] > 0, high, 0).astype(np.uint8) for i, high in enumerate((1, 255))]
    found, source = inspect({name: png(mask, 8, 3, table.tobytes()) for name, mask in zip("ab", masks, strict=True)})
    assert found.description["palette"] == [[0, 0, 0], [200, 30, 40]]
    check(source, BLOCKS > 0)


def test_values_of_one_s_own(inspect):
    found, source = inspect(coded(np.array([7, 38, 300], np.uint16)))
    assert found.description["label_values"] == {"value_7": 7, "value_38": 38, "value_300": 300}
    check(source)


@pytest.mark.parametrize("to_16_bits", [1, 257])
def test_masks_with_smooth_edges(inspect, to_16_bits):
    """As resizing with interpolation makes them: what lies nearer to an end belongs to it."""
    hard = coded(np.array([0, 255, 255], np.uint8))
    soft = {name: cv2.GaussianBlur(mask, (5, 5), 0) for name, mask in hard.items()}
    found, source = inspect({name: mask.astype(np.uint16) * 257 if to_16_bits > 1 else mask
                             for name, mask in soft.items()})
    assert list(found.description["label_values"]) == ["background", "foreground"]
    check(source, [mask > 127 for mask in soft.values()])


def test_255_is_void_unless_so_many_classes_have_names(inspect):
    labels = coded(np.array([0, 128, 255], np.uint8))
    found, _ = inspect(labels)
    assert found.description["label_values"] == {"value_0": 0, "value_128": 128, "void": 255}
    assert any("255 is taken for void" in line for line in found.oddities)
    found, source = inspect(labels, ["floor", "wall", "sky"])
    assert found.description["label_values"] == {"floor": 0, "wall": 128, "sky": 255}
    assert any("255 is taken for one of the 3 classes" in line for line in found.oddities)
    check(source)


def test_foreground_of_255_over_a_background_that_is_not_0(inspect):
    found, _ = inspect(coded(np.array([1, 255, 255], np.uint8)))
    assert found.description["label_values"] == {"background": 1, "foreground": 255}
    assert any("1 is taken for the background and 255 for the foreground" in line for line in found.oddities)


def test_colours(inspect):
    found, source = inspect(coded(COLOURS))
    assert found.description["label_colours"] == {"class_0": [0, 0, 0], "class_1": [40, 60, 220],
                                                  "class_2": [220, 40, 40]}
    check(source, np.array([0, 2, 1])[BLOCKS])
    assert palette(source.dataset.palette, 3).tolist() == [[0, 0, 0], [40, 60, 220], [220, 40, 40]]


def test_colours_with_smooth_edges_are_void_there(inspect):
    soft = {name: cv2.GaussianBlur(mask, (3, 3), 0) for name, mask in coded(COLOURS).items()}
    found, source = inspect(soft)
    assert found.description["others"] == "void" and len(found.description["label_colours"]) == 3
    for i, mask in enumerate(soft.values()):
        solid = (mask == COLOURS[BLOCKS[i]]).all(axis=2)
        np.testing.assert_array_equal(source[i].label, np.where(solid, np.array([0, 2, 1])[BLOCKS[i]], 255))
    assert any("along edges" in line for line in found.oddities)


@pytest.mark.parametrize("table", [np.arange(6, dtype=np.uint8), np.array(PALETTES["voc"][:6], np.uint8)])
def test_classes_drawn_as_lines_are_no_blended_edges(inspect, table):
    ids = np.zeros((4, 48, 64), int)
    for i in range(1, 6):
        ids[:, 8 * i, 4:60] = i
    found, source = inspect({name: table[one] for name, one in zip("abcd", ids, strict=True)})
    assert "others" not in found.description and len(found.description["classes"]) == 6
    by_code = sorted(map(tuple, table.tolist())) if table.ndim > 1 else list(range(6))
    order = [by_code.index(tuple(entry) if table.ndim > 1 else entry) for entry in table.tolist()]
    check(source, np.array(order)[ids])


def test_one_mask_that_an_optimizer_made_grey_and_one_with_a_palette(inspect):
    labels = coded(COLOURS)
    labels["a"] = np.zeros((48, 64), np.uint8)
    labels["b"] = png(BLOCKS[1], 2, 3, COLOURS.tobytes())
    found, source = inspect(labels)
    assert len(found.description["label_colours"]) == 3
    check(source, [BLOCKS[0] * 0, *np.array([0, 2, 1])[BLOCKS[1:]]])


def test_indices_bring_their_palette(inspect):
    found, source = inspect({"abcd"[i]: png(BLOCKS[i], 8, 3, COLOURS.tobytes()) for i in range(4)})
    assert found.description["palette"] == COLOURS.tolist() and "label_values" not in found.description
    check(source)


def test_palettes_that_differ_are_refused_as_indices_and_read_by_their_colours(inspect, tmp_path):
    """As programs that write the palette of each picture leave them: the second file has two indices exchanged."""
    exchanged = COLOURS[[0, 2, 1]]
    found, source = inspect({"a": png(BLOCKS[0], 8, 3, COLOURS.tobytes()),
                             "b": png(np.array([0, 2, 1], np.uint8)[BLOCKS[1]], 8, 3, exchanged.tobytes())})
    assert len(found.description["label_colours"]) == 3
    check(source, np.array([0, 2, 1])[BLOCKS])
    (fault,) = verify_pairs(tmp_path / "images", tmp_path / "labels", 3)
    for words in ("for the index 1", "a.png", "b.png", "label_colours"):
        assert words in str(fault)


def test_a_palette_of_greys_beside_a_coloured_one_is_read_by_its_colours_too(inspect):
    greys = np.array([[0, 0, 0], [60, 60, 60], [90, 90, 90]], np.uint8)
    found, source = inspect({"ab"[i]: png(BLOCKS[i], 8, 3, table.tobytes())
                             for i, table in enumerate((COLOURS, greys))})
    assert len(found.description["label_colours"]) == 5
    check(source, [np.array([0, 4, 1])[BLOCKS[0]], np.array([0, 2, 3])[BLOCKS[1]]])


def test_names_of_known_colours(inspect):
    cityscapes = np.array([[128, 64, 128], [70, 70, 70], [220, 20, 60], [0, 0, 0]], np.uint8)
    blocks = np.where(BLOCKS[:, ::-1] == 2, 3, BLOCKS)
    found, source = inspect({"abcd"[i]: cityscapes[blocks[i]] for i in range(4)})
    assert found.description["label_colours"] == {
        "void": [0, 0, 0], "building": [70, 70, 70], "road": [128, 64, 128], "person": [220, 20, 60]}
    assert any("those of cityscapes" in line for line in found.oddities)


def test_names_are_the_user_s_to_give(inspect):
    found, source = inspect(coded(COLOURS), ["floor", "void", "floor"])
    assert found.description["classes"] == ["floor", "other"]
    check(source, np.array([0, 0, 255])[BLOCKS])


def test_names_of_ids_that_do_not_occur(inspect):
    found, source = inspect(coded(np.array([0, 2, 4], np.uint8)), list("vwxyz"))
    assert found.description["classes"] == list("vwxyz") and "label_values" not in found.description
    check(source, 2 * BLOCKS)


def test_too_few_names(inspect):
    with pytest.raises(UsageError, match=r"--class_names has 2 names; expected 3, .*\[0, 0, 0\], \[40, 60, 220\]"):
        inspect(coded(COLOURS), ["a", "b"])


def test_masks_that_are_all_zero_are_told_of(inspect):
    found, source = inspect(coded(np.zeros(3, np.uint8)))
    assert found.description["classes"] == ["class_0", "other"] and not source[0].label.any()
    assert any("no label holds more than one class: all are 0" in line for line in found.oddities)


@pytest.mark.parametrize("label, words", [("noise", "expected labels of at most 255"),
                                          ("instances", "expected labels of at most 255"), ("JPEG", "is a JPEG")])
def test_what_is_no_label(inspect, label, words):
    instances = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) // 4
    content = {"noise": made.noise((48, 64)), "instances": instances,
               "JPEG": cv2.imencode(".jpg", BLOCKS[0] * 80)[1].tobytes()}[label]
    with pytest.raises(UsageError, match=words):
        inspect({"a": content, "b": content})


def test_other_oddities(inspect, tmp_path):
    labels = coded(np.array([0, 1, 2], np.uint8))
    labels["b"] = labels["b"][:40]
    labels["c"] = png(BLOCKS[2], 8)[:-20]
    inspect(labels)
    made.write(tmp_path / "images/b.png", made.noise((48, 64)))
    made.write(tmp_path / "images/e.png", made.noise((48, 64)))
    cv2.imwrite(str(tmp_path / "images/a.png"), made.noise((48, 64)).astype(np.uint16) * 4)
    lines = "\n".join(inspect_folder(str(tmp_path), ".").oddities)
    for words in ("c.png is truncated", "1 labels have another size than their image: ", "labels/b.png is 40x64",
                  "1 of 5 pictures in images belong to no pair", "train: 1 without partner, such as ",
                  "a.png holds values up to 1020 in 16 bits", "images of several kinds"):
        assert words in lines, words


def few(folder, copy, most=12):
    """The first files of each folder, under the same names."""
    for place in [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]:
        (copy / place.relative_to(folder)).mkdir(parents=True)
        for path in sorted(path for path in place.iterdir() if path.is_file())[:most]:
            (copy / path.relative_to(folder)).symlink_to(path)
    return copy


@pytest.mark.parametrize("name, counts, n_classes", [
    ("camvid", {"train": 12, "val": 12}, 12), ("kitti_road", {"train": 11}, 2), ("nuclei", {"train": 12}, 2),
    ("ade20k", {"train": 3}, 16), ("cityscapes", {"val": 1}, 14)])
def test_real_folders(real_data, tmp_path, name, counts, n_classes):
    """The description reads every pair without a fault; the known layouts are named."""
    root = str(few(real_data / name, tmp_path / name))
    found = inspect_folder(root, root)
    assert found.pairs == counts and len(found.description["classes"]) == n_classes
    (tmp_path / "d.yaml").write_text(found.text())
    for split, count in counts.items():
        source, faults = verify_split(find(str(tmp_path / "d.yaml")), None, split, n_classes)
        assert (len(source), faults) == (count, [])
    known = [line.split()[3].rstrip(",") for line in found.hints if line.startswith("laid out as")]
    assert known == [name] * (name in ("camvid", "kitti_road", "cityscapes"))


def test_real_values(real_data, tmp_path):
    """Nuclei: foreground is above 127; KITTI Road: names and void of its colours."""
    for name in ("nuclei", "kitti_road"):
        root = str(few(real_data / name, tmp_path / name, 40))
        (tmp_path / f"{name}.yaml").write_text(inspect_folder(root, root).text())
    source = open_dataset(str(tmp_path / "nuclei.yaml"), None, "train")
    for i in range(40):
        stored = cv2.imread(source.pairs[i].label, cv2.IMREAD_GRAYSCALE)
        np.testing.assert_array_equal(source[i].label, stored > 127)
    ours = open_dataset(str(tmp_path / "kitti_road.yaml"), None, "train")
    known = open_dataset("kitti_road", real_data / "kitti_road", "trainval")
    for i in range(11):
        np.testing.assert_array_equal(ours[i].label, known[i].label)


def test_several_data_sets_are_not_mixed(real_data, tmp_path):
    for name in ("ade20k", "camvid", "kitti_road"):
        few(real_data / name, tmp_path / name)
    with pytest.raises(UsageError, match="holds several data sets, in ade20k, camvid, kitti_road; inspect"):
        inspect_folder(str(tmp_path), ".")


def test_cost_of_a_wide_folder(tmp_path):
    """A folder a case: 300 of them are matched within themselves."""
    for i in range(300):
        made.write(tmp_path / f"x/case{i}/image.png", made.noise((4, 4)))
        made.write(tmp_path / f"x/case{i}/mask.png", (np.arange(16).reshape(4, 4) % 8 > 3).astype(np.uint8))
    assert inspect_folder(str(tmp_path / "x"), ".").pairs == {"train": 300}
