"""How image files are meant, in every command on labelled pictures: flags first, then what a description says."""

from pathlib import Path

import cv2
import made_tagged
import numpy as np
import pytest
import yaml

from segnet_hpu.cli import main
from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.image_coding import MAX_PIXELS, ImageCoding, limit_pixels
from segnet_hpu.data.images import read_image

RNG = np.random.default_rng(0)
UP = RNG.integers(0, 256, (20, 32, 3)).astype(np.uint8)
LABEL = (UP[..., 0] > 127).astype(np.uint8)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    limit_pixels(MAX_PIXELS)


def write_set(images, labels=(LABEL,) * 2):
    for kind in ("images", "labels"):
        Path(kind).mkdir(exist_ok=True)
        for i, content in enumerate(images if kind == "images" else labels):
            data = content if isinstance(content, bytes) else cv2.imencode(".png", content)[1].tobytes()
            Path(kind, f"{i}.png").write_bytes(data)


def verify(capsys, *flags):
    """Status, and what was said, of verify_dataset on the two folders."""
    where = [] if "--dataset" in flags else ["--images_path", "images", "--segs_path", "labels", "--n_classes", "2"]
    status = main(["verify_dataset", *where, *flags])
    said = capsys.readouterr()
    return status, said.out + said.err


@pytest.fixture
def photos():
    """As phones store them: tags 3 and 6, labels drawn over what a viewer shows."""
    write_set([made_tagged.png(np.rot90(UP, 2), 3), made_tagged.png(np.rot90(UP), 6)])


def described(**more):
    text = {"classes": ["a", "b"], "splits": {"train": {"images": "images", "labels": "labels"}}, **more}
    with open("d.yaml", "w") as file:
        yaml.safe_dump(text, file)
    return ["--dataset", "d.yaml"]


def test_labels_over_upright_pictures_fit(photos, capsys):
    status, said = verify(capsys)
    assert status == 0 and "2 pairs, no faults" in said
    # No size tells over which pixels the label of a picture on its head lies.
    assert "1 of 2 images were turned by their orientation tags, such as images/0.png (tag 3)" in said
    assert verify(capsys, "--orientation", "upright") == (0, "2 pairs, no faults\n")
    for i in range(2):
        np.testing.assert_array_equal(read_image(f"images/{i}.png"), UP[..., ::-1])
    status, said = verify(capsys, "--orientation", "as_stored")
    assert status == 1
    assert "labels/1.png is 32x20 but images/1.png is 20x32 as stored: the label lies over the upright" in said
    assert "leave out --orientation as_stored" in said


def test_labels_over_stored_pixels_are_told_by_their_size(photos, capsys):
    cv2.imwrite("labels/1.png", np.rot90(LABEL))
    status, said = verify(capsys)
    assert status == 1
    assert "labels/1.png is 20x32 but images/1.png is 32x20 upright: the label lies over the pixels as stored" in said
    assert "orientation tag 6" in said and "--orientation as_stored" in said
    assert verify(capsys, "--orientation", "as_stored")[0] == 0
    assert verify(capsys, *described(orientation="as_stored"))[0] == 0
    assert verify(capsys, *described(orientation="as_stored"), "--orientation", "upright")[0] == 1


def test_wrong_sizes_without_a_tag_are_told_as_before(capsys):
    write_set([UP, UP], [LABEL, np.rot90(LABEL)])
    assert "make the label at its image's size" in verify(capsys)[1]


def test_few_bits_are_refused_until_their_range_is_said(capsys):
    write_set([UP.astype(np.uint16) * 4] * 2)
    status, said = verify(capsys)
    assert status == 1 and "images/0.png holds values up to" in said and "--image_range 0-1023" in said
    assert verify(capsys, "--image_range", "0-1023")[0] == 0
    assert verify(capsys, *described(image_range="0-1023"))[0] == 0
    source = open_dataset("d.yaml", None, "train")
    np.testing.assert_array_equal(source[0].image, np.rint(UP[..., ::-1] * (4 * 255 / 1023)))
    for wrong in ("0-", "9-3", "0-70000", "x"):
        assert verify(capsys, "--image_range", wrong)[0] == 2


def test_four_bands_are_refused_until_told_otherwise(capsys):
    write_set([np.dstack([UP, 255 - UP[..., 0]])] * 2)
    status, said = verify(capsys)
    assert status == 1 and "images/0.png has a band beside its colours" in said
    assert verify(capsys, "--ignore_alpha")[0] == verify(capsys, *described(ignore_alpha=True))[0] == 0


@pytest.mark.parametrize("key,value,words", [
    ("orientation", "sideways", "orientation is 'sideways'; expected upright or as_stored"),
    ("image_range", 7, "image_range is 7; expected two whole numbers LOW-HIGH"),
    ("image_range", "5-2", "image_range is '5-2'"), ("image_range", [1, 2, 3], "image_range is [1, 2, 3]"),
    ("ignore_alpha", "perhaps", "ignore_alpha is 'perhaps'; expected true or false")])
def test_wrong_descriptions_are_refused(photos, capsys, key, value, words):
    status, said = verify(capsys, *described(**{key: value}))
    assert status == 2 and words in said


def test_max_pixels_holds_for_labels_too(photos, capsys):
    status, said = verify(capsys, "--max_pixels", "639")
    assert status == 1 and said.count("32x20 pixels large, of which 639 are read") == 3
    assert main(["dataset", "stats", "--images_path", "images", "--segs_path", "labels", "--max_pixels", "9"]) == 2
    assert main(["dataset", "stats", "--images_path", "images", "--segs_path", "labels", "--max_pixels", "640"]) == 0


@pytest.mark.parametrize("command", [["dataset", "convert"], ["dataset", "augment"]])
def test_a_new_data_set_needs_no_flags(photos, capsys, command):
    cv2.imwrite("labels/1.png", np.rot90(LABEL))
    flags = [*described(orientation="as_stored"), "--split", "train", "--out", "new"]
    assert main([*command, *flags]) == 0
    source, before = open_dataset("new/dataset.yaml", None, "train"), open_dataset("d.yaml", None, "train")
    assert source.coding == ImageCoding()
    for i, sample in enumerate(before):
        found = source[[source.name(k) for k in range(len(source))].index(str(i))]
        np.testing.assert_array_equal(found.image, sample.image)
        np.testing.assert_array_equal(found.label, sample.label)


def test_upright_pictures_are_copied_as_they_are(photos):
    assert main(["dataset", "convert", *described(), "--split", "train", "--out", "new"]) == 0
    for i in range(2):
        with open(f"images/{i}.png", "rb") as old, open(f"new/images/train/{i}.png", "rb") as new:
            assert old.read() == new.read()


def test_parts_of_a_data_set_keep_what_it_says(photos, capsys):
    cv2.imwrite("labels/1.png", np.rot90(LABEL))
    flags = [*described(image_range="0-4095"), "--orientation", "as_stored", "--val", "1", "--out", "new"]
    assert main(["dataset", "split", *flags]) == 0
    source = open_dataset("new/dataset.yaml", None, "val")
    assert source.coding == ImageCoding("as_stored", (0, 4095))
    assert source[0].image.shape[:2] == source[0].label.shape


TELLING = ("dataset convert", "dataset augment --copies 1", "visualize_dataset --n_classes 2")


@pytest.mark.parametrize("command", TELLING)
def test_images_that_were_turned_upside_down_are_told(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    for folder, content in (("images", made_tagged.png(np.full((8, 12, 3), 90, np.uint8), 3)),
                            ("labels", cv2.imencode(".png", np.eye(8, 12, dtype=np.uint8))[1].tobytes())):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_bytes(content)
    for orientation, count in ((None, 1), ("upright", 0)):
        flags = f"--orientation {orientation} " if orientation else ""
        out = f"out{count}" + (".png" if command.startswith("v") else "")
        assert main(f"{command} --images_path images --segs_path labels {flags}--out {out}".split()) == 0
        assert capsys.readouterr().err.count("1 of 1 images were turned by their orientation tags") == count
