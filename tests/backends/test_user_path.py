"""A user's whole way on PyTorch, and a shorter one on JAX, by commands in processes of their own."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from toy import write_toy

ROOT = Path(__file__).resolve().parents[2]
SIZE = (32, 64)
TRAIN = dict(train_engine="cpu", threads=1, model_name="unet_mini", n_classes=3, input_height=32, input_width=64,
             epochs=3, batch_size=2, learning_rate=0.005, lr_schedule="cosine", warmup_epochs=0.5, ema=0.5,
             accumulate=2, clipnorm=5, do_augment="true", save_steps=3, val_pictures=0, auto_resume_checkpoint="true",
             validate="true", model_dir="run")
# `train`, killed after a step of the second epoch that no checkpoint holds.
KILLED = """
import functools, os, signal, sys
import keras
from segnet_hpu import cli
from segnet_hpu.training import run

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(self.model.optimizer._iterations) == 9:
            os.kill(os.getpid(), signal.SIGKILL)

run.train = functools.partial(run.train, callbacks=[Kill()])
sys.exit(cli.main(sys.argv[1:]))
"""
both = pytest.mark.parametrize("trained", ["torch", "jax"], indirect=True)
torch = pytest.mark.parametrize("trained", ["torch"], indirect=True)


class Run:
    """A folder in which commands run on one backend; run/ in it is a finished training."""

    def __init__(self, folder, backend):
        self.folder, self.backend = folder, backend
        images, labels = write_toy(folder / "train", 10, SIZE)
        self.images, self.labels = write_toy(folder / "val", 3, SIZE, seed=1)
        self.training = ["train", *(f"--{name}={value}" for name, value in {
            **TRAIN, "train_images": images, "train_annotations": labels, "val_images": self.images,
            "val_annotations": self.labels}.items())]

    def process(self, *argv, folder=None, **env):
        return subprocess.run([sys.executable, *map(str, argv)], cwd=folder or self.folder, text=True,
                              capture_output=True, timeout=300, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PYTHONPATH": str(ROOT), **env})

    def command(self, name, *flags, folder=None):
        """Run a command that must succeed; return what it printed."""
        done = self.process("-m", "segnet_hpu", name, "--backend", self.backend, *flags, folder=folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def predict(self, source, out, *flags):
        """Return the class ids of a picture, or of all pictures of a folder in the order of their names."""
        self.command("predict", "--checkpoints_path", "run", "--input_path", source, "--output_path", out, "--ids",
                     *flags)
        found = self.folder / out
        files = sorted(found.iterdir()) if found.is_dir() else [found]
        return np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files])


@pytest.fixture(scope="module")
def trained(request, tmp_path_factory):
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    run = Run(tmp_path_factory.mktemp(request.param), request.param)
    run.command(*run.training)
    return run


def contents(folder):
    """All that the newest checkpoint of FOLDER/run holds of the weights and the training's state, to the bit."""
    path = max(folder.glob("run/checkpoints/*.3*.keras"))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith((".npy", ".h5"))}


def rows(folder):
    with open(folder / "run/metrics.csv") as file:
        return [{name: value for name, value in row.items() if name != "images_per_second"}
                for row in csv.DictReader(file)]


@both
def test_a_killed_run_resumes_and_ends_bit_equal(trained, tmp_path):
    done = trained.process("-c", KILLED, *trained.training, folder=tmp_path, KERAS_BACKEND=trained.backend)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "going on at step 6 (epoch 2)" in trained.command(*trained.training, folder=tmp_path)
    ours, theirs = contents(tmp_path), contents(trained.folder)
    assert len(theirs) > 1 and ours == theirs
    assert len(rows(tmp_path)) == 3 and rows(tmp_path) == rows(trained.folder)


@both
def test_scores_are_those_of_the_predicted_pictures(trained):
    trained.command("evaluate_model", "--checkpoints_path", "run", "--images_path", trained.images, "--segs_path",
                    trained.labels, "--json", "scores.json")
    scores = json.loads((trained.folder / "scores.json").read_text())
    truth = np.stack([cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in sorted(trained.labels.iterdir())])
    found = trained.predict(trained.images, "ids")
    expected = np.mean([((truth == c) & (found == c)).sum() / ((truth == c) | (found == c)).sum() for c in range(3)])
    assert scores["mean_iou"] == pytest.approx(expected, rel=1e-6) and expected > 0.3
    own = json.loads((trained.folder / "run/evaluation.json").read_text())
    assert own["mean_iou"] == pytest.approx(expected, rel=1e-6)


@torch
def test_tiles_of_a_large_picture(trained):
    picture = cv2.imread(str(trained.images / "0.png"))
    cv2.imwrite(str(trained.folder / "large.png"), np.tile(picture, (2, 2, 1)))
    one = trained.predict(trained.images / "0.png", "one.png")[0]
    large = trained.predict("large.png", "tiles.png", "--tile", "--overlap", 0)[0]
    assert (large == np.tile(one, (2, 2))).mean() > 0.999 and len(np.unique(one)) > 1


@torch
def test_a_video(trained):
    writer = cv2.VideoWriter(str(trained.folder / "in.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 10, SIZE[::-1])
    for i in range(4):
        writer.write(cv2.imread(str(trained.images / f"{i % 3}.png")))
    writer.release()
    trained.command("predict_video", "--checkpoints_path", "run", "--input_path", "in.avi", "--output_path",
                    "out.avi", "--overlay", "false", "--palette", "voc")
    (trained.folder / "frames").mkdir()
    for i, frame in enumerate(frames(trained.folder / "in.avi")):
        cv2.imwrite(str(trained.folder / f"frames/{i}.png"), frame)
    expected = trained.predict("frames", "frame_ids")
    colours = np.array([[0, 0, 0], [0, 0, 128], [0, 128, 0]])  # VOC's first three, BGR
    shown = np.stack(frames(trained.folder / "out.avi")).astype(int)
    found = np.abs(shown[..., None, :] - colours).sum(-1).argmin(-1)
    assert found.shape == expected.shape == (4, *SIZE) and (found == expected).mean() > 0.9


def frames(path):
    video, found = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        found.append(read[1])
    return found


@torch
def test_onnx(trained):
    onnxruntime = pytest.importorskip("onnxruntime")
    trained.command("export", "--checkpoints_path", "run", "--format", "onnx", "--argmax", "--out", "net.onnx")
    session = onnxruntime.InferenceSession(trained.folder / "net.onnx")
    picture = cv2.imread(str(trained.images / "0.png"))[None, ..., ::-1].astype(np.float32)
    found, = session.run(None, {session.get_inputs()[0].name: picture})
    assert (found[0] == trained.predict(trained.images / "0.png", "net.png")[0]).mean() > 0.999


@torch
def test_doctor_says_what_computes(trained):
    done = trained.process("-m", "segnet_hpu", "doctor", KERAS_BACKEND="torch")
    assert done.returncode == 0 and "(chosen: torch)" in done.stdout, done.stderr


@torch
def test_two_workers_train_one_run(trained, tmp_path):
    trained.command(*trained.training, "--batch_size", 1, "--distributed", "--num_workers", 2, folder=tmp_path)
    assert [path.name for path in (tmp_path / "run").glob("metrics*.csv")] == ["metrics.csv"]
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"]
    first, one = (float(rows(folder)[0]["loss"]) for folder in (tmp_path, trained.folder))
    assert first == pytest.approx(one, rel=0.2)  # the same pictures; noise and dropout are each worker's own
