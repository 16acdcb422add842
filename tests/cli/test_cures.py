"""What a command prints below the refusal of labels: lines of YAML that read them as they are."""

import cv2
import numpy as np
import pytest

from made_png import png
from segnet_hpu.cli import main
from segnet_hpu.data.datasets import open_dataset
from toy import write_toy

COLOURS = np.array([[0, 0, 0], [40, 40, 220], [220, 60, 40]], np.uint8)  # BGR
INDICES = np.array([0, 2, 1], np.uint8)  # in the order of RGB

# What people have: {what: (name of a label, its pixels or bytes, the ids that are read)}.
KINDS = {
    "0 and 255": ("{}.png", lambda ids: np.where(ids > 0, 255, 0).astype(np.uint8), lambda ids: ids > 0),
    "coloured": ("{}.png", lambda ids: COLOURS[ids], lambda ids: INDICES[ids]),
    "coloured, another name": ("{}_gt.png", lambda ids: COLOURS[ids], lambda ids: INDICES[ids]),
    "another name": ("{}_mask.png", lambda ids: ids, lambda ids: ids),
    "values of one's own": ("{}.png", lambda ids: np.array([3, 38, 75], np.uint8)[ids], lambda ids: ids),
    "16 bits": ("{}.png", lambda ids: np.array([0, 1000, 2000], np.uint16)[ids], lambda ids: ids),
    "indices": ("{}.png", lambda ids: png(10 * ids, 8, 3, bytes(range(256)) * 3), lambda ids: ids),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def folders(request, tmp_path, monkeypatch):
    """Four pairs of a kind in images/ and labels/; returns the ids that are right by the images' names."""
    name, code, read = request.param
    monkeypatch.chdir(tmp_path)
    _, labels = write_toy(tmp_path, 4)
    right = {}
    for path in sorted(labels.iterdir()):
        ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        path.unlink()
        right[path.stem], content = read(ids), code(ids)
        if isinstance(content, bytes):
            (labels / name.format(path.stem)).write_bytes(content)
        else:
            cv2.imwrite(str(labels / name.format(path.stem)), content)
    return right


def check(text, right, split):
    """What is printed is a description that reads the labels."""
    first = text.index("# These lines read the files as they are")
    with open("labels.yaml", "w") as file:
        file.write(text[first:])
    source = open_dataset("labels.yaml", None, split)
    assert [source.name(i) for i in range(len(source))] == sorted(right)
    for i in range(len(source)):
        np.testing.assert_array_equal(source.label(i), right[source.name(i)])
    assert main(["verify_dataset", "--dataset", "labels.yaml", "--split", split]) == 0


def test_verify_dataset(folders, capsys):
    assert main(["verify_dataset", "--images_path", "images", "--segs_path", "labels", "--n_classes", "3"]) == 1
    check(capsys.readouterr().out, folders, "train")


def test_train(folders, capsys):
    paths = "--train_images images --train_annotations labels --val_images images --val_annotations labels --validate"
    assert main(["train", "--model_name", "unet_mini", "--n_classes", "3", "--model_dir", "run", *paths.split()]) == 2
    error = capsys.readouterr().err
    check(error, folders, "train")
    check(error, folders, "val")


def test_255_is_a_class_where_so_many_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, labels = write_toy(tmp_path, 4)
    right = {path.stem: cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in labels.iterdir()}
    for path in labels.iterdir():
        cv2.imwrite(str(path), np.array([0, 128, 255], np.uint8)[right[path.stem]])
    assert main(["verify_dataset", "--images_path", "images", "--segs_path", "labels", "--n_classes", "3"]) == 1
    said = capsys.readouterr().out
    assert "\n# 255 is taken for one of the 3 classes; " in said
    check(said, right, "train")


@pytest.mark.parametrize("command", ["dataset stats", "dataset convert --out o", "dataset augment --out o",
                                     "dataset split --val 1 --out o", "visualize_dataset --n_classes 3 --out o.png"])
def test_other_commands(folders, request, capsys, command):
    done = main([*command.split(), "--images_path", "images", "--segs_path", "labels"])
    kind = request.node.callspec.id.partition("-")[0]
    if "n_classes" not in command and kind in ("values of one's own", "indices"):
        assert done == 0  # any ids are classes where their number is not told
        return
    assert done == 2
    check(capsys.readouterr().err, folders, "val" if command.startswith("visualize") else "train")


@pytest.mark.parametrize("content, lines", [
    (COLOURS, "label_colours:\n  class_0: [0, 0, 0]\n  class_1: [40, 60, 220]\n  class_2: [220, 40, 40]\n"),
    (np.array([0, 255, 255], np.uint8), "label_values: {background: 0, foreground: 255}\n"),
    (np.array([5, 6, 7], np.uint8), "label_values: {value_5: 5, value_6: 6, value_7: 7}\n")])
def test_a_description_that_lacks_the_coding(tmp_path, monkeypatch, capsys, content, lines):
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path, 3)
    for path in (tmp_path / "labels").iterdir():
        cv2.imwrite(str(path), content[cv2.imread(str(path), cv2.IMREAD_UNCHANGED)])
    splits = "splits: {train: {images: images, labels: labels}}\n"
    (tmp_path / "d.yaml").write_text(f"classes: [a, b, c]\n{splits}")
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 1
    said = capsys.readouterr().out
    assert said.endswith(lines) and "# In d.yaml these lines read the labels as they are; name the classes.\n" in said
    (tmp_path / "d.yaml").write_text(said[said.index("# In d.yaml"):] + splits)
    assert main(["verify_dataset", "--dataset", "d.yaml"]) == 0


@pytest.mark.parametrize("spoil", ["truncated", "size", "one class more"])
def test_what_no_description_mends(tmp_path, capsys, spoil):
    images, labels = write_toy(tmp_path, 3)
    label = cv2.imread(str(labels / "1.png"), cv2.IMREAD_UNCHANGED)
    if spoil == "truncated":
        (labels / "1.png").write_bytes((labels / "1.png").read_bytes()[:-20])
    else:
        cv2.imwrite(str(labels / "1.png"), label[:9] if spoil == "size" else label + 1)
    assert main(["verify_dataset", "--images_path", str(images), "--segs_path", str(labels), "--n_classes", "3"]) == 1
    assert "#" not in capsys.readouterr().out
