"""Data sets of a user's own: a YAML file, or a class in Python."""

import random
import re

import cv2
import numpy as np
import pytest

import made_datasets as made
from segnet_hpu.data.classes import palette
from segnet_hpu.data.datasets import DataSet, Split, find, open_dataset
from segnet_hpu.data.datasets.patterns import texts_of_stars
from segnet_hpu.data.verify import verify_split
from segnet_hpu.errors import UsageError

SOUND = """
classes: [soil, plant, tool]
splits:
  train: {images: img, labels: lbl}
"""


@pytest.fixture
def described(yaml_file):
    """Write yard.yaml with this text; return its path."""
    return lambda text: yaml_file(text, "yard.yaml")


def test_values_and_patterns(described, tmp_path):
    path = described("""
        name: garden
        root: pictures
        classes: [soil, plant, tool]
        palette: [[1, 2, 3], [128, 64, 128], [255, 0, 0]]
        label_values: {soil: 0, plant: [7, 299-300], tool: 9, void: 5}
        others: tool
        splits:
          train: {images: "train/*/cam_*.jpg", labels: "masks/*/*_gt.png"}
          val: {images: val/*.jpg, labels: masks/*.png, list: val.txt}
        """)
    raw = np.array([[0, 7, 300], [9, 5, 44]], np.uint16)
    for day in ("mon", "tue"):
        made.write(tmp_path / f"pictures/train/{day}/cam_1.jpg", made.noise((2, 3)))
        made.write(tmp_path / f"pictures/masks/{day}/1_gt.png", raw)
    for stem in "abc":
        made.write(tmp_path / f"pictures/val/{stem}.jpg", made.noise((2, 3)))
        made.write(tmp_path / f"pictures/masks/{stem}.png", raw.astype(np.uint8))
    (tmp_path / "pictures/val.txt").write_text("c\n\na 1\n")
    dataset = find(path)
    assert (dataset.name, dataset.n_classes, dataset.splits) == ("garden", 3, ("train", "val"))
    assert palette(dataset.palette, 3).tolist() == [[1, 2, 3], [128, 64, 128], [255, 0, 0]]
    train, val = open_dataset(path, None, "train"), open_dataset(dataset, tmp_path / "pictures", "val")
    assert [train.name(i) for i in range(2)] == ["mon_cam_1", "tue_cam_1"]  # stems alone would not differ
    assert [val.name(i) for i in range(2)] == ["c", "a"]
    assert train[1][1].tolist() == [[0, 1, 1], [2, 255, 2]]
    assert val[0][1].tolist() == [[0, 1, 2], [2, 255, 2]]  # 300 is 44 in 8 bits


def test_colours_and_folders(described, tmp_path):
    path = described(SOUND + "label_colours: {soil: [0, 0, 0], plant: [[0, 255, 0], [0, 128, 0]], void: [9, 9, 9]}")
    made.write(tmp_path / "img/a.jpg", made.noise((2, 2)))
    made.write(tmp_path / "lbl/a.png", np.array([[[0, 0, 0], [0, 255, 0]], [[0, 128, 0], [9, 9, 9]]], np.uint8))
    assert open_dataset(path, None, "train")[0][1].tolist() == [[0, 1], [1, 255]]
    made.write(tmp_path / "lbl/a.png", np.full((2, 2, 3), 8, np.uint8) + np.array([0, 1, 0], np.uint8))
    with pytest.raises(UsageError, match="holds the colour 080908; expected 000000, 00ff00, 008000, 090909"):
        open_dataset(path, None, "train")[0]
    others = described(SOUND + "label_colours: {soil: [0, 0, 0]}\nothers: void")
    assert (open_dataset(others, None, "train")[0][1] == 255).all()


def test_labels_of_training_ids_and_one_void_value(described, tmp_path):
    path = described(SOUND + "ignore_label: 7")
    made.write(tmp_path / "img/a.jpg", made.noise((2, 3)))
    made.write(tmp_path / "lbl/a.png", np.array([[0, 1, 2], [7, 255, 0]], np.uint8))
    assert open_dataset(path, None, "train")[0][1].tolist() == [[0, 1, 2], [255, 255, 0]]


def test_several_patterns_and_suffixes_in_any_case(described, tmp_path):
    for name, size in (("a.jpg", (2, 3)), ("b.JPG", (3, 3)), ("c.Png", (4, 3)), ("d.tif", (5, 3))):
        made.write(tmp_path / "img" / name.lower(), made.noise(size))
        (tmp_path / "img" / name.lower()).rename(tmp_path / "img" / name)
        made.write(tmp_path / f"lbl/{name[0]}.png", np.full(size, 1, np.uint8))
    (tmp_path / "lbl/b.png").rename(tmp_path / "lbl/b.PNG")
    path = described("classes: [soil, plant]\nsplits:\n  train: {images: [img/*.jpg, img/*.png], labels: lbl/*.png}\n"
                     "  all: {images: [img/*.jpg, img/*.png, img/*.tif], labels: [lbl/*.png, lbl/*.png, lbl/*.png]}")
    train, everything = (open_dataset(path, None, split) for split in ("train", "all"))
    assert [train.name(i) for i in range(len(train))] == ["a", "b", "c"]
    assert [image.shape[0] for image, _ in everything] == [2, 3, 4, 5]
    made.write(tmp_path / "img/b.png", made.noise((3, 3)))
    with pytest.raises(UsageError, match=r"b\.JPG and .*img/b\.png both belong to .*lbl/b\.PNG; keep one of them"):
        open_dataset(path, None, "train")


def test_masks_of_one_bit_among_values(described, tmp_path):
    """0 and 1 as they are stored would all be soil, where every viewer shows 0 and 255."""
    path = described("classes: [soil, plant]\nlabel_values: {soil: 0-127, plant: 128-255}\n"
                     "splits: {train: {images: img/*.png, labels: lbl/*.png}}")
    mask = np.array([[0, 255], [255, 0]], np.uint8)
    for name, options in (("a", []), ("b", [cv2.IMWRITE_PNG_BILEVEL, 1])):
        made.write(tmp_path / f"img/{name}.png", made.noise((2, 2)))
        (tmp_path / "lbl").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"lbl/{name}.png"), mask, options)
    source = open_dataset(path, None, "train")
    assert source[0][1].tolist() == [[0, 1], [1, 0]]
    with pytest.raises(UsageError, match=r"lbl/b\.png has 1 bit a pixel: it holds 1 where viewers show 255, "):
        source.label(1)
    ids = described("classes: [soil, plant]\nsplits: {train: {images: img/*.png, labels: lbl/*.png}}")
    assert open_dataset(ids, None, "train").label(1).tolist() == [[0, 1], [1, 0]]  # samples are class ids


@pytest.mark.parametrize("colours, words", [
    ([[0, 0, 0], [128, 0, 0]], r"a\.png is a coloured mask \(2 colours"),
    ([[0, 0, 0], [255, 255, 255]], "holds only masks of 0 and 255"),
])
def test_masks_that_lack_their_coding(described, tmp_path, colours, words):
    path = described(SOUND)
    made.write(tmp_path / "img/a.png", made.noise((4, 4)))
    made.write(tmp_path / "lbl/a.png", np.array(colours, np.uint8)[np.eye(4, dtype=int)])
    (fault,) = verify_split(path, None, "train", 3)[1]
    assert re.search(words, str(fault))


@pytest.mark.parametrize("text, words", [
    ("classes: [soil", "not valid YAML"),
    ("klasses: [soil]", "unknown key 'klasses'.*Did you mean classes"),
    ("classes: soil", "classes is 'soil'; expected a list"),
    ("classes: [soil, soil]", "names that differ"),
    (SOUND + "label_values: {soul: 1}", "'soul' is no class; .* soil, plant, tool, or void. Did you mean soil"),
    (SOUND + "label_values: {soil: 1, plant: 1}", "label_values: 1 stands for two classes"),
    (SOUND + "label_values: {soil: 70000}", "label_values: soil is 70000; expected whole numbers from 0 to 65535"),
    (SOUND + "label_colours: {soil: [1, 2]}", r"label_colours: soil is \[1, 2\]; expected \[red, green, blue\]"),
    (SOUND + "label_values: {soil: 1-x}", "label_values: soil is '1-x'; .* or ranges such as 128-255"),
    (SOUND + "label_colours: {soil: [1, 2, 3]}\nlabel_values: {soil: 1}", "has both label_values and label_colours"),
    (SOUND + "ignore_label: 256", "ignore_label is 256"),
    (SOUND + "label_colours: {soil: [1, 2, 3]}\nignore_label: 7", "ignore_label beside label_colours; "),
    (SOUND + "label_values: {soil: 2-1}", "label_values: soil is '2-1'; .* or ranges such as 128-255"),
    (SOUND + "name:", "name is None; expected text"),
    (SOUND + "root:", "root is None; expected text"),
    (SOUND + "palette: {soil: [1, 2, 3]}", "palette is {'soil': .*; expected 3 colours"),
    (SOUND + "palette: [[1, 2, 3]]", "expected 3 colours"),
    (SOUND + "palette: kitti_road", "expected 3 colours"),
    ("classes: [a, b]", "splits is None"),
    ("classes: [a, b]\nsplits: {train: {images: x}}", "splits: train is .*expected images: and labels:"),
    ("classes: [a, b]\nsplits: {train: {images: 'x/*', labels: y}}", "as many \\* in both"),
    ("classes: [a, b]\nsplits: {train: {images: [x, y, z], labels: [u, v]}}", "splits: train is .*or a list of such"),
    ("classes: [a, b]\nsplits: {train: {images: ['x/*', 'y/*'], labels: 'z/*', list: t}}", "has a list: and several"),
])
def test_descriptions_that_are_wrong(described, text, words):
    path = described(text)
    with pytest.raises(UsageError, match=words) as error:
        find(path)
    assert str(error.value).startswith(f"--dataset {path}") and "\n" not in str(error.value)


def test_a_class_of_one_s_own(tmp_path, monkeypatch):
    """The class that docs/datasets.md shows: labels as masks of 0 and 255."""
    (tmp_path / "my_masks.py").write_text("""
from segnet_hpu.data.datasets import DataSet, Split

class Masks(DataSet):
    def read_label(self, path):
        import cv2
        return (cv2.imread(path, cv2.IMREAD_GRAYSCALE) > 127).astype("uint8")

MASKS = Masks("masks", ("background", "thing"), None, {"train": Split("*.jpg", "*_mask.png")}, root=".")
""")
    made.write(tmp_path / "a.jpg", made.noise((1, 3)))
    made.write(tmp_path / "a_mask.png", np.array([[3, 128, 255]], np.uint8))
    monkeypatch.chdir(tmp_path)
    source = open_dataset("my_masks:MASKS", None, "train")
    assert len(source) == 1 and source[0][1].tolist() == [[0, 1, 1]]
    for name, words in (("my_masks:Masks", "is a type; expected an instance"), ("my_mask:MASKS", "No module named"),
                        ("my_masks:NONE", "has no attribute")):
        with pytest.raises(UsageError, match=words):
            find(name)
    (tmp_path / "my_slip.py").write_text("MASKS = (1,\n")
    (tmp_path / "my_fault.py").write_text("MASKS = 1 / 0\n")
    for module, fault in (("my_slip", "SyntaxError: "), ("my_fault", "ZeroDivisionError: division by zero")):
        with pytest.raises(UsageError, match=f"--dataset {module}:MASKS: {module} cannot be imported, {fault}"):
            find(f"{module}:MASKS")


@pytest.mark.parametrize(("returned", "found"), [
    ("image.astype(int) - 1", "ids from -1 to 1"),
    ("(image - 1).view('int8')", "ids from -1 to 1"),
    ("image.astype(int) * 10**9", "ids from 0 to 2000000000"),
    ("image * 0.9", r"an array float64 \(1, 3\)"),
    ("image[None]", r"an array uint8 \(1, 1, 3\)"),
    ("None", "a NoneType"),
])
def test_a_reader_of_one_s_own_that_returns_no_ids(tmp_path, returned, found):
    dataset = own_reader(tmp_path, returned)
    for read in (lambda source: source[0], lambda source: source.checked(3)[0]):
        with pytest.raises(UsageError, match=f"a_mask.png is read by Own.read_label as {found}, expected"):
            read(dataset.open(str(tmp_path), "train")[0])
    (fault,) = verify_split(dataset, tmp_path, "train", 3)[1]
    assert fault.file.endswith("a_mask.png") and "Own.read_label" in fault.fix


@pytest.mark.parametrize("returned", ["image > 0", "image.astype('int64')", "image.astype('uint16')"])
def test_a_reader_of_one_s_own_may_return_any_whole_ids(tmp_path, returned):
    dataset = own_reader(tmp_path, returned)
    label = dataset.open(str(tmp_path), "train")[0].checked(3)[0].label
    assert label.dtype == np.uint8 and label.tolist() == [[0, 1, 1 if ">" in returned else 2]]
    assert verify_split(dataset, tmp_path, "train", 3)[1] == []


def own_reader(folder, returned):
    """A data set of one pair whose label holds 0, 1, 2; returned: what its reader returns of this `image`."""
    made.write(folder / "a.png", made.noise((1, 3)))
    made.write(folder / "a_mask.png", np.array([[0, 1, 2]], np.uint8))

    class Own(DataSet):
        def read_label(self, path):
            return eval(returned, {"image": cv2.imread(path, cv2.IMREAD_GRAYSCALE)})

    return Own("own", ("a", "b", "c"), None, {"train": Split("*.png", "*_mask.png")})


@pytest.mark.parametrize("seed", range(3))
def test_stars_stand_for_what_a_regular_expression_finds(seed):
    """The first star for as much as can be, as Python's own matching has it."""
    rng = random.Random(seed)
    for _ in range(3000):
        pattern = "*" + "".join(rng.choices("ab*_", k=rng.randint(0, 6)))
        name = "".join(rng.choices("ab_", k=rng.randint(0, 9)))
        found = re.fullmatch("(.*)".join(map(re.escape, pattern.split("*"))), name)
        assert texts_of_stars(pattern, name) == (found and found.groups()), (pattern, name)


def test_a_value_is_not_void_and_a_class(described):
    text = SOUND + "label_values: {soil: 0, plant: 1, tool: 2}\nignore_label: "
    with pytest.raises(UsageError, match="ignore_label is 1, which label_values gives to plant"):
        find(described(text + "1"))
    assert find(described(text + "3")).ids == {0: 0, 1: 1, 2: 2, 3: 255}
    assert find(described(text.replace("plant: 1", "void: 1") + "1")).ids == {0: 0, 1: 255, 2: 2}


def test_lists_name_each_picture_once_whatever_mark_they_begin_with(described, tmp_path):
    path = described("classes: [a, b]\nsplits: {train: {images: img/*.png, labels: lbl/*.png, list: train.txt}}")
    for folder in ("img", "lbl"):
        for stem in "ab":
            made.write(tmp_path / folder / f"{stem}.png", np.zeros((2, 3), np.uint8))
    (tmp_path / "train.txt").write_text("a\nb\n", encoding="utf-8-sig")  # as Windows' editors save it
    assert [open_dataset(path, None, "train").name(i) for i in range(2)] == ["a", "b"]
    (tmp_path / "train.txt").write_text("a\n\nb\na 1\n")
    with pytest.raises(UsageError, match=r"train\.txt lists a on lines 1 and 4; keep one"):
        open_dataset(path, None, "train")
