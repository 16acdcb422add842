"""`segnet-hpu train` in processes of its own, quickly: they are forked from one that has Keras loaded."""

import csv
import io
import multiprocessing
import os
import signal
import sys
import zipfile
from functools import partial
from pathlib import Path
from unittest import mock

import h5py
import keras
import numpy as np
from keras import layers

from segnet_hpu import cli
from segnet_hpu.runtime.device import select_device
from segnet_hpu.training import run as training
from segnet_hpu.training import run_log

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["runs"])


def small(size=(32, 48), n_classes=3, name="small"):
    """A network with all kinds of state: batch normalisation's statistics and dropout's random seed."""
    x = image = keras.Input((*size, 3))
    x = layers.Rescaling(1 / 127.5, -1)(x)
    for width in (8, 16):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=f"block{width // 8}_conv1")(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.Dropout(0.1, seed=width)(x)
    x = layers.MaxPooling2D()(x)
    return keras.Model(image, layers.Conv2D(n_classes, 1, dtype="float32")(x), name=name)


def with_encoder():
    """The same; its first two convolutions are what a vgg_segnet calls its encoder."""
    return small(name="vgg_segnet")


def plain(size=(32, 48), n_classes=3):
    """A network without any state but its weights."""
    image = keras.Input((*size, 3))
    x = layers.Conv2D(4, 3, padding="same")(layers.Rescaling(1 / 127.5, -1)(image))
    return keras.Model(image, layers.Conv2D(n_classes, 1, dtype="float32")(x), name="plain")


class SignalAt(keras.callbacks.Callback):
    """Sends its own process a signal when `moment` comes.

    moment: ("step", n) after the n-th step of the whole run, before anything is saved; ("epoch", n) when
    epoch n is finished and saved; ("saved", n) when epoch n is saved and metrics.csv not yet written.
    """

    def __init__(self, number, moment):
        super().__init__()
        self.number, self.moment, self.write_metrics = number, moment, run_log.write_metrics
        run_log.write_metrics = self._around_metrics

    def on_train_batch_end(self, batch, logs=None):
        self._at("step", int(self.model.optimizer._iterations))

    def _around_metrics(self, path, history):
        self._at("saved", len(history))
        self.write_metrics(path, history)
        self._at("epoch", len(history))

    def _at(self, what, n):
        if (what, n) == self.moment:
            os.kill(os.getpid(), self.number)


def run(folder, *argv, model=None, callbacks=(), signal_at=None, patch=None):
    """Run the command line `train ARGV...` with a function's model, in `folder`; return (status, stdout, stderr).

    callbacks: Keras callbacks. signal_at: arguments of SignalAt. patch: a function called first.
    """
    process = start(folder, argv, model=model, callbacks=callbacks, signal_at=signal_at, patch=patch)
    process.join()
    return process.exitcode, (folder / "out.txt").read_text(), (folder / "err.txt").read_text()


def start(folder, argv, *, model=None, callbacks=(), signal_at=None, patch=None, rank=0, env=()):
    """Start such a run and return its process. Its output goes to out.txt and err.txt, or with a rank's number."""
    process = _SERVER.Process(target=_child, args=(str(folder), [str(a) for a in argv], model, callbacks,
                                                   signal_at, patch, rank or "", dict(env)))
    with mock.patch.dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{HERE}"):
        process.start()
    return process


def _child(folder, argv, model, callbacks, signal_at, patch, rank, env):
    os.chdir(folder)
    os.environ.update(env)
    for stream, name in ((sys.stdout, f"out{rank}.txt"), (sys.stderr, f"err{rank}.txt")):
        with open(name, "w") as file:
            os.dup2(file.fileno(), stream.fileno())
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if patch:
        patch()
    select_device("cpu")  # as the run itself does, before there is a model
    keras.utils.set_random_seed(0)
    callbacks = [*callbacks, *([SignalAt(*signal_at)] if signal_at else [])]
    training.train = partial(training.train, model=model and model(), callbacks=callbacks)
    sys.exit(cli.main(["train", *argv]))


def contents(checkpoint):
    """All arrays of a checkpoint, {name: array}, Keras' own among them, read without our reader."""
    arrays = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[f"keras/{name}"] = item[()]

    with zipfile.ZipFile(checkpoint) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights.visititems(take)
        return arrays | {name: np.load(archive.open(name)) for name in archive.namelist() if name.endswith(".npy")}


def rows(folder):
    """metrics.csv of FOLDER/run as dicts of text, without the columns that are times."""
    times = ("images_per_second", "communication_share")
    with open(folder / "run/metrics.csv") as file:
        return [{k: v for k, v in row.items() if k not in times} for row in csv.DictReader(file)]


def flags(**settings):
    """The settings as flags."""
    return [f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
            for name, value in settings.items()]


def newest(run_folder):
    """The newest checkpoint by epoch and step."""
    numbered = [p for p in Path(run_folder).glob("checkpoints/*.keras") if not p.name.endswith(".best.keras")]
    return max(numbered, key=lambda p: [int(n) for n in (p.name.split(".")[1] + "-0").split("-")[:2]])
