"""Training is the same on every backend but for rounding, and a run begun on one goes on on another."""

import importlib.util
import io
import itertools
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from toy import write_toy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BACKENDS = [name for name in ("torch", "jax", "tensorflow") if importlib.util.find_spec(name)]
CASES = None if os.environ.get("SEGNET_TEST_ALL") else {"torch": ["ce/adam", "lovasz/adam"], "jax": ["ce/adam"]}

# Steps of the optimizer, schedule, decay, average, augmentation and a network with batch normalisation.
SETTINGS = [
    *("--model_name", "own:network", "--n_classes", "3", "--input_height", "32", "--input_width", "48"),
    *("--batch_size", "2", "--epochs", "6", "--train_engine", "cpu", "--do_augment", "true"),
    *("--lr_schedule", "cosine", "--learning_rate", "0.01", "--weight_decay", "0.01", "--ema", "0.9"),
    *("--keep_checkpoints", "9", "--model_dir", "run"),
    *("--train_images", "data/images", "--train_annotations", "data/labels")]
OWN = """
import keras
from keras import layers

def network(n_classes, height, width):
    image = keras.Input((height, width, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(layers.Rescaling(1 / 127.5, -1)(image))
    x = layers.MaxPooling2D()(layers.ReLU()(layers.BatchNormalization()(x)))
    return keras.Model(image, layers.Conv2D(n_classes, 1, dtype="float32")(x), name="own")
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_losses_of_twenty_steps_are_those_of_tensorflow(backend, tmp_path):
    """Against stored losses of TensorFlow; equal_steps.py says how they are made."""
    pytest.importorskip(backend)
    cases = CASES[backend] if CASES else []
    subprocess.run([sys.executable, HERE / "equal_steps.py", tmp_path / "found.npz", *cases], check=True,
                   env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)})
    found, stored = np.load(tmp_path / "found.npz"), np.load(HERE / "equal_steps.npz")
    for case in cases or stored.files:
        np.testing.assert_allclose(found[case], stored[case], rtol=0, atol=1e-4, err_msg=case)
        assert stored[case][-1] < stored[case][0], case


def train(folder, backend, optimizer):
    command = [sys.executable, "-m", "segnet_hpu", "train", *SETTINGS, "--backend", backend, "--optimizer_name",
               optimizer, "--auto_resume_checkpoint"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"})


def contents(checkpoint):
    """All arrays of a checkpoint, {name: array}: weights, averages and the optimizer's."""
    arrays = {}
    with zipfile.ZipFile(checkpoint) as archive:
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
            weights.visititems(lambda name, item: arrays.update({name: item[()]}) if hasattr(item, "dtype") else None)
        return arrays | {name: np.load(archive.open(name)) for name in archive.namelist() if name.endswith(".npy")}


@pytest.mark.skipif(not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 goes on on other backends")
@pytest.mark.parametrize("first,second", itertools.permutations(BACKENDS, 2))
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_run_goes_on_on_another_backend(first, second, optimizer, tmp_path):
    """Its last twenty of thirty steps, against those of the first backend."""
    (tmp_path / "own.py").write_text(OWN)
    write_toy(tmp_path / "data", 10)
    train(tmp_path, first, optimizer)
    whole = {path.name: contents(path) for path in (tmp_path / "run/checkpoints").glob("*.6.keras")}
    assert whole
    for epoch in range(3, 7):
        for path in (tmp_path / "run/checkpoints").glob(f"*.{epoch}.keras"):
            path.unlink()
    resumed = train(tmp_path, second, optimizer)
    assert f"the run began on {first} and goes on on {second}" in resumed.stderr
    for name, before in whole.items():
        after = contents(tmp_path / "run/checkpoints" / name)
        assert before.keys() == after.keys()
        for key, array in before.items():
            np.testing.assert_allclose(after[key], array, rtol=1e-5, atol=1e-5, err_msg=key)
