"""A run from the command line, and what it leaves behind."""

import csv
import json
import os
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
import yaml

from runs import ROOT, flags, newest, plain, rows, run, small
from segnet_hpu import config
from segnet_hpu.training.settings import Settings

NAMES = "sky,ground,box"
SCORES = {"pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou", "mean_dice", "per_class"}
FURTHER = {"boundary_f1", "max_f", "max_f_threshold", "max_f_precision", "max_f_recall",
           "max_f_false_positive_rate", "max_f_false_negative_rate", "average_precision", "average_precision_area"}
COLUMNS = ["id", "name", "iou", "accuracy", "precision", "dice", "pixels", "boundary_f1"]


@pytest.fixture(scope="module")
def argv(data):
    return flags(**data, epochs=3, batch_size=5, learning_rate=0.001, class_names=NAMES, seed=3,
                 val_metrics="boundary,road", positive_class=NAMES.split(",")[2])


@pytest.fixture(scope="module")
def finished(tmp_path_factory, argv):
    """(folder, what was printed) of a run of vgg_segnet by the plain command line, in a process of its own."""
    folder = tmp_path_factory.mktemp("finished")
    done = subprocess.run([sys.executable, "-m", "segnet_hpu", "train", *map(str, argv), "--dump_config=dumped.yaml"],
                          cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_it_says_what_it_does(finished):
    _, out = finished
    lines = out.splitlines()
    assert lines[0].startswith("vgg_segnet 32x48, 11,549,379 parameters, fp32 on ")
    assert lines[0].endswith("10 images, 3 epochs of 2 steps of 5")
    assert [line.split(":")[0] for line in lines[1:4]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert "segnet-hpu predict --checkpoints_path run/checkpoints/vgg_segnet.best.keras" in lines[-1]
    assert any(line.split()[:2] == ["0", "sky"] for line in lines)


def test_config_reads_back_equal(finished, argv):
    folder, _ = finished
    asked = config.read(Settings, argv, prog="train", environ={})
    for name in ("run/config.yaml", "dumped.yaml"):
        again = config.read(Settings, [f"--config={folder / name}"], prog="train", environ={})
        again.config, again.dump_config = None, None
        assert again == asked


def test_metrics_and_scores(finished):
    folder, _ = finished
    with open(folder / "run/metrics.csv") as file:
        found = list(csv.DictReader(file))
    assert [row["epoch"] for row in found] == ["1", "2", "3"]
    assert [row["step"] for row in found] == ["2", "4", "6"]
    assert all(float(row["images_per_second"]) > 0 and float(row["learning_rate"]) == pytest.approx(0.001)
               for row in found)
    scores = json.loads((folder / "run/evaluation.json").read_text())
    assert set(scores) == SCORES | FURTHER | {"positive_class"}
    assert (folder / "run/precision_recall.png").stat().st_size
    assert scores["positive_class"] == NAMES.split(",")[2]
    assert [list(row) for row in scores["per_class"]] == [COLUMNS] * 3
    assert [row["name"] for row in scores["per_class"]] == NAMES.split(",")
    # The best epoch's score and no other: that model was evaluated anew.
    assert scores["mean_iou"] == pytest.approx(max(float(row["val_mean_iou"]) for row in found), abs=1e-6)
    best = max(found, key=lambda row: float(row["val_mean_iou"]))
    assert {name: scores[name] for name in FURTHER} == pytest.approx(
        {name: float(best[f"val_{name}"]) for name in FURTHER}, abs=1e-6)
    present = [row["iou"] for row in scores["per_class"]]
    assert scores["mean_iou"] == pytest.approx(np.mean(present))


def test_tensorboard_reads_scalars_and_pictures(finished):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder, _ = finished
    events = EventAccumulator(str(folder / "run/tensorboard"), {"scalars": 0, "images": 0}).Reload()
    with open(folder / "run/metrics.csv") as file:
        found = list(csv.DictReader(file))
    for name in ("loss", "val_mean_iou", "val_boundary_f1", "val_average_precision", "learning_rate"):
        points = events.Scalars(name)
        assert [p.step for p in points] == [2, 4, 6]
        np.testing.assert_allclose([p.value for p in points], [float(row[name]) for row in found], rtol=1e-6)
    assert sorted(events.Tags()["images"]) == ["0", "1", "2"]  # the validation images by name
    picture = events.Images("0")[-1]
    pixels = cv2.imdecode(np.frombuffer(picture.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (picture.height, picture.width, 3)
    # Image, truth and prediction side by side, at the image's own size.
    assert pixels.shape[0] >= 32 and pixels.shape[1] >= 3 * 48


def test_pictures_and_model_config(finished):
    folder, _ = finished
    for name in ("0", "1", "2"):
        picture = cv2.imread(str(folder / f"run/pictures/{name}.png"))
        assert picture.shape[0] >= 32 and picture.shape[1] > 48  # a legend stands beside it
    assert json.loads((folder / "run/checkpoints/vgg_segnet_config.json").read_text()) == {
        "model_class": "vgg_segnet", "n_classes": 3, "input_height": 32, "input_width": 48,
        "output_height": 16, "output_width": 24}
    assert not [p for p in folder.rglob("*") if p.name.startswith(".") or p.suffix == ".tmp"]


def test_report_page(finished):
    folder, _ = finished
    page = (folder / "run/report.html").read_text()
    scores = json.loads((folder / "run/evaluation.json").read_text())
    assert f">{100 * scores['mean_iou']:.1f} %<" in page
    assert page.count("<img ") == 3 * 4  # image, truth, prediction, error


def test_the_same_command_again_is_refused_and_changes_nothing(finished, argv):
    folder, _ = finished
    before = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}
    status, _, err = run(folder, *argv)
    assert status == 2 and "--auto_resume_checkpoint" in err
    after = {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()
             and p.name not in ("out.txt", "err.txt")}
    assert after == before


def test_checkpoints_path_is_a_prefix(tmp_path, data):
    settings = data | dict(validate=False, epochs=2, batch_size=5, checkpoints_path="kept/net")
    settings.pop("model_dir")
    status, _, err = run(tmp_path, *flags(**settings), model=plain)
    assert status == 0, (status, err)
    assert sorted(p.name for p in (tmp_path / "kept").iterdir()) == [
        "net.1.keras", "net.2.keras", "net.best.keras", "net_config.json", "net_run"]
    assert (tmp_path / "kept/net_run/metrics.csv").exists()


def test_print_config_prints_and_does_nothing(cli, tmp_path, argv):
    done = cli("train", *argv, "--print_config", env={"SEGNET_BATCH_SIZE": "7", "SEGNET_CLIPNORM": "2"})
    assert done.returncode == 0 and done.stderr == ""
    printed = yaml.safe_load(done.stdout)
    assert (printed["batch_size"], printed["clipnorm"], printed["epochs"]) == (5, 2.0, 3)
    assert list(tmp_path.iterdir()) == []


def test_it_learns(tmp_path, data):
    status, _, err = run(tmp_path, *flags(**data, epochs=8, batch_size=5, learning_rate=0.02), model=small)
    assert status == 0, (status, err)
    losses = [float(row["loss"]) for row in rows(tmp_path)]
    assert losses[-1] < losses[0] / 3
    # A constant answer gets the share of its class in the pixels (below 0.6), a third of that as the mean.
    assert json.loads((tmp_path / "run/evaluation.json").read_text())["mean_iou"] > 0.7


def test_steps_of_an_epoch_and_of_validation(tmp_path, data):
    status, _, err = run(tmp_path, *flags(**data, epochs=2, batch_size=4, steps_per_epoch=3, val_batch_size=1,
                                          val_steps_per_epoch=2), model=plain)
    assert status == 0, (status, err)
    assert [row["step"] for row in rows(tmp_path)] == ["3", "6"]
    # The final scores are those of the whole set: three images.
    pixels = json.loads((tmp_path / "run/evaluation.json").read_text())["per_class"]
    assert sum(row["pixels"] for row in pixels) == 3 * 32 * 48


@pytest.mark.parametrize("given", ["median_frequency", "0.5,0,3"])
def test_class_weights_reach_the_loss(tmp_path, data, given):
    still = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-12, batch_size=10, epochs=1)
    status, _, err = run(tmp_path, *flags(**data | dict(validate=False), **still, class_weights=given), model=plain)
    assert status == 0, (status, err)
    names = [str(i) for i in range(10)]
    labels = np.array([cv2.imread(f"{data['train_annotations']}/{n}.png", 0) for n in names])
    images = np.array([cv2.imread(f"{data['train_images']}/{n}.png")[..., ::-1] for n in names], np.float32)
    counts = np.array([(labels == c).sum() for c in range(3)])
    seen_in = np.array([sum(label.size for label in labels if (label == c).any()) for c in range(3)])
    weights = np.array([0.5, 0, 3]) if "," in given else np.median(counts / seen_in) / (counts / seen_in)
    logits = keras.saving.load_model(newest(tmp_path / "run")).predict(images, verbose=0).astype(float)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = (-weights[labels] * np.take_along_axis(log_p, labels[..., None].astype(int), -1)[..., 0]).mean()
    assert float(rows(tmp_path)[0]["loss"]) == pytest.approx(expected, rel=1e-4)
