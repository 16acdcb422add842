"""What a run is judged by: the best epoch, when it stops, and the validation loss itself."""

import signal

import cv2
import keras
import numpy as np
import pytest
import yaml

from runs import flags, plain, rows, run, small
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.runtime.ranks import ALONE
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.preparation import plan_length
from segnet_hpu.training.settings import Settings

STILL = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-12, batch_size=5)  # nothing is learned


def test_best_by_validation_loss_which_is_the_mean_over_the_images(tmp_path, data):
    status, out, err = run(tmp_path, *flags(**data | dict(model_dir="run"), epochs=3, batch_size=5, ignore_label=2,
                                            learning_rate=0.01, ema=0.5, monitor="val_loss", l2=0.01), model=small)
    assert status == 0, err
    losses = [float(row["val_loss"]) for row in rows(tmp_path)]
    best = int(np.argmin(losses))
    assert f"best epoch {best + 1} by val_loss" in out and f"loss {losses[best]:.4f}" in out
    assert losses[best] < max(losses)
    model = keras.saving.load_model(tmp_path / "run/checkpoints/vgg_segnet.best.keras", compile=False)
    expected = []
    for i in range(3):
        label = cv2.imread(f"{data['val_annotations']}/{i}.png", 0)[1::2, 1::2]  # the network halves its input
        image = cv2.imread(f"{data['val_images']}/{i}.png")[..., ::-1].astype("float32")
        z = model.predict(image[None], verbose=0)[0].astype(float)
        ce = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, label[..., None].astype(int), -1)[..., 0]
        expected.append(ce[label != 2].mean())
    assert losses[best] == pytest.approx(np.mean(expected), rel=1e-5)


def test_it_stops_and_goes_on_by_the_monitor(tmp_path, data):
    argv = flags(**data, **STILL, epochs="auto", early_stopping=2, monitor="val_loss", auto_resume_checkpoint=True)
    status, _, err = run(tmp_path, *argv, model=plain, signal_at=(signal.SIGKILL, ("epoch", 2)))
    assert status == -signal.SIGKILL, err
    status, out, err = run(tmp_path, *argv, model=plain)
    assert status == 0, err
    assert len(rows(tmp_path)) == 3 and "best epoch 1 by val_loss" in out
    # Two steps an epoch.
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text())["epochs"] == 10_000
    status, _, err = run(tmp_path, *argv, "--monitor=loss", model=plain)
    assert status == 2 and "was made with --monitor val_loss, this run has loss" in err


def settings(**values):
    return Settings(model_name="vgg_segnet", n_classes=3, train_images="a", train_annotations="b",
                    **dict(validate=True, class_names="sky,traffic light,car") | values)


def test_the_direction_of_every_figure():
    matrix = ConfusionMatrix(3, [[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    record = {"loss": 0.5, "accuracy": 0.6, "val_loss": 0.7, "val_mean_iou": 0.8, "val_mean_dice": None}

    def score(name):
        return Monitor(settings(monitor=name)).score(record, matrix)
    assert [score(name) for name in record] == [-0.5, 0.6, -0.7, 0.8, 0.0]
    record["val_loss"] = float("nan")
    assert score("val_loss") == -np.inf
    assert score("val_iou_traffic light") == pytest.approx(3 / 6)
    assert score("val_iou_car") == 0.0  # the labels have none
    road = settings(monitor="val_max_f", val_metrics=["road"])
    assert Monitor(road).score({"val_max_f": 0.9}, matrix) == 0.9
    for metrics, monitor in (([], "val_max_f"), (["road"], "val_boundary_f1"), (["road"], "val_max_f_threshold")):
        with pytest.raises(UsageError, match=f"--monitor is '{monitor}'"):
            Monitor(settings(monitor=monitor, val_metrics=metrics))
    assert Monitor(settings()).name == "val_mean_iou" and Monitor(settings(validate=False)).name == "loss"


@pytest.mark.parametrize("dataset,steps,epochs", [
    ("cityscapes", 9, 200), ("coco_stuff", 9, 30), ("coco_stuff_171", 9, 30), ("voc", 9, 50), ("folder", 92, 218),
    (None, 40_000, 1)])
def test_automatic_epochs(dataset, steps, epochs):
    automatic = settings(epochs="auto", steps_per_epoch=steps)
    automatic.dataset = dataset
    assert plan_length(automatic, ALONE, images=10).epochs == epochs
    assert plan_length(settings(epochs=7, steps_per_epoch=steps), ALONE, images=10).epochs == 7
