"""What verify_dataset refuses is refused, in the same words, by everything that reads labels."""

import os
import struct

import cv2
import numpy as np
import pytest
from odd import write_pictures

from segnet_hpu.cli import main
from segnet_hpu.data_utils.data_loader import image_segmentation_generator
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.load import load
from segnet_hpu.predict import evaluate

FOLDERS = " --images_path images --segs_path labels"
COMMANDS = {
    "evaluate_model": "evaluate_model --checkpoints_path {model} --json out" + FOLDERS,
    "demo": "demo --checkpoints_path {model} --out out" + FOLDERS,
    "stats": "dataset stats --n_classes 4 --out out" + FOLDERS,
    "convert": "dataset convert --to folder --out out" + FOLDERS,
    "augment": "dataset augment --out out" + FOLDERS,
    "split": "dataset split --val 1 --out out" + FOLDERS,
    "visualize": "visualize_dataset --n_classes 4 --out out.png" + FOLDERS,
    "train": "train --model_name unet_mini --n_classes 4 --input_height 32 --input_width 32 --epochs 1 "
             "--model_dir out --train_images images --train_annotations labels",
}


def encoded(suffix, *options):
    return lambda label: cv2.imencode(suffix, label, list(options))[1].tobytes()


def red(label):
    return cv2.imencode(".png", np.dstack([label * 0, label * 0, label * 60]))[1].tobytes()


def damaged_runs(label):
    """A BMP of run lengths whose second row is too short."""
    height, width = label.shape
    rows = [bytes([width, 1, 0, 0]) if y != 1 else bytes([width - 3, 1, 0, 0]) for y in range(height)]
    pixels = b"".join(rows) + b"\0\1"
    table = b"".join(bytes([i, i, i, 0]) for i in range(256))
    return (b"BM" + struct.pack("<IHHI", 54 + len(table) + len(pixels), 0, 0, 54 + len(table))
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0) + table + pixels)


# Name -> (the bytes of a label in place of what it was, words).
SPOILT = {
    "mask of 0 and 255": (lambda label: encoded(".png")((label > 1) * np.uint8(255)), "is a mask of 0 and 255"),
    "colours": (red, "is a coloured mask (4 colours"),
    "JPEG": (encoded(".jpg"), "is a JPEG, whose compression alters class ids"),
    "lossy WebP": (encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, 80), "is a lossy WebP, whose compression alters"),
    "JPEG 2000": (encoded(".jp2"), "is a JPEG 2000, whose compression alters"),
    "truncated": (lambda label: encoded(".png")(label)[:-20], "is truncated"),
    "damaged run lengths": (damaged_runs, "is damaged (a row is not complete)"),
    "other size": (lambda label: encoded(".png")(label[1:]), "but images/0.png is 53x37"),
    "16 bits": (lambda label: encoded(".png")(label.astype(np.uint16) + 3000), "3000"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of three sound pairs of four classes."""
    folder = tmp_path_factory.mktemp("gate")
    write_pictures(folder)
    return folder


@pytest.fixture
def verified(place, monkeypatch, capsys):
    """Run verify_dataset in the folder, whose files must be as before afterwards; returns what it prints."""
    monkeypatch.chdir(place)
    before = {path: path.read_bytes() for path in place.rglob("*.png")}

    def verify(*flags):
        assert main(["verify_dataset", "--n_classes", "4", *FOLDERS.split(), *flags]) == 1
        return capsys.readouterr().out.splitlines()
    yield verify
    for path, data in before.items():
        path.write_bytes(data)
    assert sorted(os.listdir(place)) == ["images", "labels"]


def spoil(place, name):
    path = place / "labels/0.png"
    path.write_bytes(SPOILT[name][0](cv2.imread(str(path), cv2.IMREAD_UNCHANGED)))


def refuses(command, model_file, capsys):
    """Run a command that must refuse; return its line."""
    assert main(command.format(model=model_file).split()) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", SPOILT)
def test_a_label_that_is_none(place, verified, model_file, capsys, name):
    spoil(place, name)
    line, _ = verified()
    assert line.startswith("labels/0.png") and SPOILT[name][1] in line
    for command in COMMANDS.values():
        said = refuses(command, model_file, capsys)
        # Without a number of classes 16 bits are refused for their depth.
        assert said == f"segnet-hpu: {line}\n" or (name == "16 bits" and "labels/0.png holds the value 300" in said)
    trained = load(model_file)
    for options in ({"inp_images_dir": "images", "annotations_dir": "labels"},
                    {"inp_images": ["images/0.png"], "annotations": ["labels/0.png"]}):
        with pytest.raises(UsageError) as error:
            evaluate(trained.network, **options)
        assert str(error.value) == line
    if name != "other size":
        with pytest.raises(UsageError) as error:
            list(zip(range(2), image_segmentation_generator("images", "labels", 2, 4, 32, 48, 32, 48), strict=False))
        assert str(error.value) == line


@pytest.mark.parametrize("folder, other", [("images", "labels"), ("labels", "images")])
def test_a_file_without_its_partner(place, verified, model_file, capsys, folder, other):
    (place / folder / "1.png").unlink()
    line, _ = verified()
    assert line.startswith(f"{other}/1.png has no {folder[:-1]} in {folder}; add ")
    for command in COMMANDS.values():
        assert refuses(command, model_file, capsys) == f"segnet-hpu: {line}\n"


def test_a_whole_set_whose_foreground_is_ignored(place, verified, model_file, capsys):
    for path in (place / "labels").iterdir():
        cv2.imwrite(str(path), (cv2.imread(str(path), cv2.IMREAD_UNCHANGED) > 1).astype(np.uint8) * 255)
    line, _, *cure = verified("--ignore_label", "255")
    assert line.startswith("labels holds only masks of 0 and 255 (ignored); ")
    assert "label_values: {background: 0, foreground: 255}" in cure
    for command in COMMANDS.values():
        said = refuses(command + " --ignore_label 255", model_file, capsys).splitlines()
        assert said[0] == f"segnet-hpu: {line}" and said[1:-1] == cure[:-1]  # whose last line names the split


def test_ids_that_no_class_has(place, verified, model_file, capsys):
    label = cv2.imread("labels/2.png", cv2.IMREAD_UNCHANGED)
    label[0, :3] = 4, 255, 255
    cv2.imwrite("labels/2.png", label)
    line, _ = verified()
    assert line.startswith("labels/2.png holds ids outside 0..3: 4 (1 pixels), 255 (2 pixels); ")
    for name in ("evaluate_model", "demo", "stats", "visualize", "train"):
        assert refuses(COMMANDS[name], model_file, capsys) == f"segnet-hpu: {line}\n"
