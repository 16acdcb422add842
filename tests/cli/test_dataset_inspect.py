"""`segnet-hpu dataset inspect` as users run it: what it writes trains."""

import cv2
import numpy as np
import pytest

from segnet_hpu.cli import main
from toy import write_toy


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Coloured masks, named NAME_mask.png, among the images of two splits."""
    monkeypatch.chdir(tmp_path)
    for split, count in (("train", 4), ("valid", 2)):
        images, labels = write_toy(tmp_path / "made" / split, count)
        (tmp_path / "shapes" / split).mkdir(parents=True)
        for path in images.iterdir():
            path.rename(tmp_path / "shapes" / split / path.name)
        for path in labels.iterdir():
            label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            colours = np.array([[0, 0, 0], [40, 40, 220], [220, 60, 40]], np.uint8)
            cv2.imwrite(str(tmp_path / "shapes" / split / f"{path.stem}_mask.png"), colours[label])
    return tmp_path


def test_printed(folder, capsys):
    assert main(["dataset", "inspect", "shapes"]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[:2] == ["# pairs: train 4, val 2",
                                     "# images: 6 of 3 bands of 8 bits; all 32x48 (height x width)"]
    assert "  val: {images: valid/*.png, labels: valid/*_mask.png}\n" in said and "root: shapes\n" in said


def test_the_written_description_is_verified_and_trains(folder, capsys):
    assert main(["dataset", "inspect", "--folder", "shapes", "--class_names", "sky,block,ground", "--out",
                 "described/shapes.yaml"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-2:] == ["described/shapes.yaml: 4 train, 2 val pairs, 3 classes",
                         "next: segnet-hpu verify_dataset --dataset described/shapes.yaml"]
    assert "label_colours:\n  sky: [0, 0, 0]\n  block: [40, 60, 220]\n" in (
        folder / "described/shapes.yaml").read_text()
    assert main(said[-1].split()[2:]) == 0
    assert "6 pairs, no faults" in capsys.readouterr().out
    train = ("train --dataset described/shapes.yaml --model_name unet_mini --input_height 32 --input_width 48 "
             "--epochs 1 --steps_per_epoch 1 --batch_size 2 --train_engine cpu --data_type fp32 --model_dir run")
    assert main(train.split(" ")) == 0 and (folder / "run/metrics.csv").exists()


@pytest.mark.parametrize("arguments, words", [
    (["--out", "x.txt"], "--out x.txt: expected a name that ends in .yaml"),
    (["--class_names", "a,b"], "--class_names has 2 names; expected 3"),
])
def test_refusals(folder, capsys, arguments, words):
    assert main(["dataset", "inspect", "shapes", *arguments]) == 2
    assert words in capsys.readouterr().err and not (folder / "x.txt").exists()


def test_an_edited_description_stays(folder, capsys):
    (folder / "mine.yaml").write_text("classes: [edited]\n")
    assert main(["dataset", "inspect", "shapes", "--out", "mine.yaml"]) == 2
    assert (folder / "mine.yaml").read_text() == "classes: [edited]\n"
    assert "mine.yaml is there already, and may have been edited" in capsys.readouterr().err


def test_folders_without_pairs(tmp_path, capsys):
    assert main(["dataset", "inspect", str(tmp_path)]) == 2
    assert "holds no pictures" in capsys.readouterr().err
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4), np.uint8))
    assert main(["dataset", "inspect", str(tmp_path)]) == 2
    assert "1 pictures in 1 folders, but none that belong together" in capsys.readouterr().err
