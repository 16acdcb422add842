"""Labels that are coloured pictures: what files hold them, and what colours the classes then have."""

import cv2
import numpy as np
import pytest

import made_datasets as made
from made_png import png
from segnet_hpu.cli import main
from segnet_hpu.data.classes import palette
from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.errors import UsageError

COLOURS = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 220]], np.uint8)
IDS = np.arange(48).reshape(6, 8) % 3
DESCRIPTION = """
classes: [floor, disc, box]
label_colours: {disc: [[220, 40, 40], [230, 9, 9]], floor: [0, 0, 0], box: [40, 60, 220]}
splits:
  train: {images: "photos/*.png", labels: "masks/*_mask.png"}
"""


@pytest.fixture
def described(tmp_path):
    """A description beside ten pairs NAME.png and NAME_mask.png of coloured masks."""
    for i in range(10):
        made.write(tmp_path / f"photos/p{i}.png", made.noise((6, 8)))
        made.write(tmp_path / f"masks/p{i}_mask.png", COLOURS[np.roll(IDS, i)])
    (tmp_path / "shapes.yaml").write_text(DESCRIPTION)
    return str(tmp_path / "shapes.yaml")


def run(*args):
    assert main(list(map(str, args))) == 0


def check_copies(path, split):
    """The copied data set has the names and colours of `described`, and each label its own, by the image's name."""
    dataset, source = find(str(path)), open_dataset(str(path), None, split)
    assert dataset.class_names == ("floor", "disc", "box")
    assert palette(dataset.palette, 3).tolist() == COLOURS.tolist()
    for i in range(len(source)):
        name = source.name(i)
        if "_aug" not in name:
            np.testing.assert_array_equal(source[i].label, np.roll(IDS, int(name[1:])))
    return len(source)


def test_colours_of_the_labels_are_those_of_the_classes(described):
    dataset = find(described)
    assert palette(dataset.palette, 3).tolist() == COLOURS.tolist()


def test_a_palette_beside_them_wins_and_classes_without_colour_get_one(described, tmp_path):
    (tmp_path / "p.yaml").write_text(DESCRIPTION + "palette: [[1, 1, 1], [2, 2, 2], [3, 3, 3]]")
    assert palette(find(str(tmp_path / "p.yaml")).palette, 3)[:, 0].tolist() == [1, 2, 3]
    (tmp_path / "o.yaml").write_text("classes: [a, b]\nlabel_colours: {b: [7, 8, 9], void: [0, 0, 0]}\nothers: a\n"
                                     "splits: {train: {images: photos, labels: masks}}")
    assert palette(find(str(tmp_path / "o.yaml")).palette, 2)[1].tolist() == [7, 8, 9]


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_indices_whose_palette_has_these_colours(described, tmp_path, bits):
    shuffled = COLOURS[[2, 0, 1]]  # index 0 is a box: the colours count
    (tmp_path / "masks/p0_mask.png").write_bytes(png((IDS + 1) % 3, bits, 3, shuffled.tobytes()))
    np.testing.assert_array_equal(open_dataset(described, None, "train")[0].label, IDS)


def test_indices_of_other_colours_are_refused(described, tmp_path):
    (tmp_path / "masks/p0_mask.png").write_bytes(png(IDS, 8, 3, bytes(range(9))))
    with pytest.raises(UsageError, match="p0_mask.png holds the colour 000102, 030405, 060708; expected dc2828"):
        open_dataset(described, None, "train")[0]


@pytest.mark.parametrize("bits", [1, 8])
def test_grey_files_hold_grey_colours(described, tmp_path, bits):
    """As optimizers write a coloured mask in which only black occurs."""
    (tmp_path / "masks/p0_mask.png").write_bytes(png(IDS * 0, bits))
    assert not open_dataset(described, None, "train")[0].label.any()
    (tmp_path / "masks/p0_mask.png").write_bytes(png(IDS % 2, bits))
    with pytest.raises(UsageError, match=f"holds the colour {'ffffff' if bits == 1 else '010101'}"):
        open_dataset(described, None, "train")[0]


def test_16_bits_are_refused(described, tmp_path):
    cv2.imwrite(str(tmp_path / "masks/p0_mask.png"), COLOURS[IDS].astype(np.uint16))
    with pytest.raises(UsageError, match="holds uint16 values, expected colours of 8 bits"):
        open_dataset(described, None, "train")[0]


@pytest.mark.parametrize("how", [[], ["--link"], ["--move"]])
def test_split_keeps_files_names_and_colours(described, tmp_path, capsys, how):
    run("dataset", "split", "--dataset", described, "--val", 3, "--out", tmp_path / "parts", *how)
    assert "--dataset " + str(tmp_path / "parts/dataset.yaml") in capsys.readouterr().out
    counts = [check_copies(tmp_path / "parts/dataset.yaml", part) for part in ("train", "val")]
    assert counts == [7, 3]
    (label,) = (tmp_path / "parts/annotations").rglob("p4.png")
    np.testing.assert_array_equal(cv2.imread(str(label))[..., ::-1], COLOURS[np.roll(IDS, 4)])  # as it was
    assert (tmp_path / "photos/p4.png").exists() != ("--move" in how)


def test_split_of_values(tmp_path):
    for i in range(4):
        made.write(tmp_path / f"i/p{i}.png", made.noise((6, 8)))
        made.write(tmp_path / f"l/p{i}.png", np.array([0, 130, 200, 7], np.uint8)[np.arange(48).reshape(6, 8) % 4])
    (tmp_path / "v.yaml").write_text("classes: [a, b]\nlabel_values: {a: 0, b: [128-199, 7]}\nothers: void\n"
                                     "splits: {train: {images: i, labels: l}}")
    run("dataset", "split", "--dataset", tmp_path / "v.yaml", "--val", 1, "--out", tmp_path / "parts")
    written = tmp_path / "parts/dataset.yaml"
    assert open_dataset(str(written), None, "train")[0].label[0].tolist() == [0, 1, 255, 1] * 2
    assert "128-199" in written.read_text()


def test_convert_and_augment_keep_names_and_colours(described, tmp_path):
    run("dataset", "convert", "--dataset", described, "--out", tmp_path / "folders")
    assert check_copies(tmp_path / "folders/dataset.yaml", "train") == 10
    run("dataset", "augment", "--dataset", tmp_path / "folders/dataset.yaml", "--out", tmp_path / "more")
    assert check_copies(tmp_path / "more/dataset.yaml", "train") == 20
    run("dataset", "convert", "--dataset", tmp_path / "folders/dataset.yaml", "--to", described, "--out",
        tmp_path / "back")
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "back/masks/p4_mask.png"))[..., ::-1],
                                  COLOURS[np.roll(IDS, 4)])


def test_split_of_labels_in_one_file_is_refused(tmp_path, capsys):
    assert main(["dataset", "split", "--dataset", "coco_instances", "--data_root", str(tmp_path), "--val", "1",
                 "--out", str(tmp_path / "o")]) == 2
    assert "dataset convert" in capsys.readouterr().err
