"""The recipes for road, small and short, on real pairs of KITTI Road: from the preset's file to pictures."""

import csv

import cv2
import numpy as np
import pytest

from runs import ROOT, flags, run
from segnet_hpu import config
from segnet_hpu.cli import main
from segnet_hpu.interchange.load import load
from segnet_hpu.training.settings import Settings

SMALL = dict(input_height=32, input_width=64, encoder_weights="random", epochs=1, batch_size=2, steps_per_epoch=1,
             train_engine="cpu", model_dir="run", not_verify_dataset=True, val_pictures=1, optimizer_name="sgd")


def train(preset, folder, real_data, model, options):
    """Train with a preset made small, its decoder on another encoder; return the epoch, as metrics.csv has it."""
    status, _, err = run(folder, "--config", ROOT / f"run_scripts/presets/{preset}.yaml",
                         *flags(**SMALL, data_root=real_data / "kitti_road", model_name=model,
                                model_options=options))
    assert status == 0, err
    with open(folder / "run/metrics.csv") as file:
        row, = csv.DictReader(file)
    return row


def test_fcn_8s(tmp_path, real_data):
    row = train("fcn8s_kitti", tmp_path, real_data, "vanilla_fcn_8", "skip_scale=at_once,sigma=0.01,width=8")
    model = load(tmp_path / "run").network
    assert model.get_layer("decoder_scale3").scale == pytest.approx(1e-4)
    # Two classes at next to no logits, and L2 of all kernels on top.
    assert float(row["loss"]) > np.log(2)
    kept = config.read(Settings, ["--config", str(tmp_path / "run/config.yaml")], prog="train", environ={})
    assert (kept.monitor, kept.early_stopping, kept.learning_rate, kept.n_classes) == ("loss", 4, 1e-4, 2)


def test_wide_fcn_8s_paints_the_road_green_and_equalises(tmp_path, real_data):
    row = train("fcn8s_wide_kitti", tmp_path, real_data, "vanilla_fcn_8_wide", "width=8")
    assert float(row["val_loss"]) == pytest.approx(np.log(2), rel=0.5)
    trained = load(tmp_path / "run")
    assert trained.input_coding.equalises and trained.class_names == ["background", "road"]
    picture, = (tmp_path / "run/pictures").iterdir()
    source = real_data / "kitti_road/training/image_2" / picture.name
    assert main(["predict", "--checkpoints_path", str(tmp_path / "run"), "--input_path", str(source),
                 "--output_path", str(tmp_path / "ids.png"), "--ids"]) == 0
    road = cv2.imread(str(tmp_path / "ids.png"), cv2.IMREAD_GRAYSCALE) == 1
    image = cv2.imread(str(source))
    shown = cv2.imread(str(picture))[:image.shape[0], :image.shape[1]]
    np.testing.assert_array_equal(shown[~road], image[~road])
    assert np.abs(shown[road] - (0.5 * image[road] + [0, 127.5, 0])).max(initial=0) <= 1
