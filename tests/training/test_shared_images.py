"""What training's and validation's files are compared by: images that are in both are told, palettes must agree."""

import cv2
import numpy as np
import pytest

from made_png import png
from segnet_hpu import config
from segnet_hpu.data.source import FolderSource
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.ranks.alone import Alone
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.sources import open_sources
from toy import write_toy


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("described", [True, False])
def test_validation_within_the_training_folders(tmp_path, capsys, beside, described):
    """Subfolders belong to a folder, so that images/ has those of images/val/ too."""
    write_toy(tmp_path / "toy", 3)
    for kind in ("images", "labels"):
        train = tmp_path / f"data/{kind}" / ("train" if beside else "")
        (tmp_path / f"data/{kind}/val").mkdir(parents=True)
        train.mkdir(exist_ok=True)
        for i, path in enumerate(sorted((tmp_path / "toy" / kind).iterdir())):
            path.rename((tmp_path / f"data/{kind}/val" if i == 0 else train) / path.name)
    end = "/train" if beside else ""
    (tmp_path / "d.yaml").write_text(
        f"classes: [a, b, c]\nroot: data\nsplits: {{train: {{images: images{end}, labels: labels{end}}}, "
        "val: {images: images/val, labels: labels/val}}\n")
    data = {"dataset": str(tmp_path / "d.yaml")} if described else {
        "train_images": f"{tmp_path}/data/images{end}", "train_annotations": f"{tmp_path}/data/labels{end}",
        "val_images": f"{tmp_path}/data/images/val", "val_annotations": f"{tmp_path}/data/labels/val"}
    settings = config.from_values(Settings, model_name="unet_mini", n_classes=3, validate=True, **data)
    train_source, validation = open_sources(settings, Alone())
    assert (len(train_source), len(validation)) == (2 if beside else 3, 1)
    assert ("1 of 1 images for validation are trained with as well" in capsys.readouterr().err) != beside


def test_palettes_of_validation_must_be_those_of_training(tmp_path):
    colours = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 220]], np.uint8)
    data = {"train": (write_toy(tmp_path / "t", 2), colours),
            "val": (write_toy(tmp_path / "v", 1), colours[[0, 2, 1]])}
    folders = {}
    for split, ((images, labels), palette) in data.items():
        folders |= {f"{split}_images": str(images), f"{split}_annotations": str(labels)}
        for path in labels.iterdir():
            path.write_bytes(png(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), 8, 3, palette.tobytes()))
    settings = config.from_values(Settings, model_name="unet_mini", n_classes=3, validate=True, **folders)
    with pytest.raises(UsageError, match=f"{tmp_path}/v/.* for the index ., which is .* in {tmp_path}/t/"):
        open_sources(settings, Alone())


def write_palettes(folder, colours):
    """Write a toy set whose labels have this palette; return its two folders."""
    images, labels = write_toy(folder, 2)
    for path in labels.iterdir():
        path.write_bytes(png(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), 8, 3, colours.tobytes()))
    return images, labels


def test_the_palette_of_the_training_labels_is_compared_with_that_of_scored_ones(tmp_path, capsys):
    """By indices that are class ids; where a description gives them other classes they tell nothing."""
    colours = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 220]], np.uint8)
    images, labels = write_palettes(tmp_path / "t", colours)
    rule = tmp_path / "t/d.yaml"
    rule.write_text("classes: [a, b, c]\nlabel_values: {a: 1, b: 0, c: 2}\n"
                    "splits: {train: {images: images, labels: labels}}\n")
    folders = {"train_images": str(images), "train_annotations": str(labels)}
    noted, mapped = (open_sources(config.from_values(Settings, model_name="unet_mini", n_classes=3, validate=False,
                                                     **data), Alone())[0].palette
                     for data in (folders, {"dataset": str(rule)}))
    assert noted == {"0": "000000", "1": "dc2828", "2": "283cdc"} and mapped == {}
    capsys.readouterr()
    for palette, told in ((colours, False), (colours[[0, 2, 1]], True)):
        scored = FolderSource(*write_palettes(tmp_path / f"s{told}", palette)).checked(3)
        for i in range(len(scored)):
            scored.label(i)
        scored.finish_check(trained_on=noted)
        err = capsys.readouterr().err
        assert ("for the indices 1 (dc2828 there, 283cdc here), 2 (283cdc there, dc2828 here)" in err) == told, err
        assert told or not err


@pytest.mark.parametrize("described", [True, False])
def test_ids_of_no_class_in_labels_that_are_not_verified_are_told_once(tmp_path, capsys, described):
    images, labels = write_toy(tmp_path, 3)
    for i in (1, 2):
        label = cv2.imread(str(labels / f"{i}.png"), cv2.IMREAD_UNCHANGED)
        label[0, :5] = 77
        cv2.imwrite(str(labels / f"{i}.png"), label)
    (tmp_path / "d.yaml").write_text("classes: [a, b, c]\nlabel_values: {a: 0, b: 1, c: 2, void: 9}\nothers: void\n"
                                     "splits: {train: {images: images, labels: labels}}\n")
    data = {"dataset": str(tmp_path / "d.yaml")} if described else {"train_images": images,
                                                                    "train_annotations": labels}
    source, _ = open_sources(config.from_values(Settings, model_name="unet_mini", n_classes=3, validate=False,
                                                not_verify_dataset=True, **data), Alone())
    found = [set(np.unique(source[i].label).tolist()) for i in range(3)]
    assert found == [{0, 1, 2}, *[{0, 1, 2, 255 if described else 77}] * 2]
    told = [line for line in capsys.readouterr().err.splitlines() if "outside" in line]
    assert len(told) == (0 if described else 1)
    assert described or "labels/1.png holds ids outside 0..2: 77 (5 pixels)" in told[0]
