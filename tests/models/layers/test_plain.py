"""Files of networks with layers of ours, opened by a Keras that knows nothing of this package."""

import json
import os
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model
from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from segnet_hpu.models.trained_model import TrainedModel

SCRIPT = """
import glob, keras, numpy as np
for path in glob.glob("*.keras"):
    image = np.load(path.replace(".keras", ".image.npy"))
    np.save(path.replace(".keras", ".found.npy"), keras.ops.convert_to_numpy(keras.models.load_model(path)(image)))
import sys
assert "segnet_hpu" not in sys.modules
"""
# name: (network, size, layers of ours)
SAVED = {f"{name}.{policy}": (name, size, ours, policy) for policy in ("float32", "mixed_bfloat16")
         for name, size, ours in (("segnet_basic", (30, 45), 9), ("enet", (32, 48), 4))}


def saved(name, size, policy, path):
    """Build a network, save it as a run does, and beside it an image; return network and image."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = build_model(name, 3, *size)
    finally:
        keras.config.set_dtype_policy(before)
    model.compile("sgd", "mse")  # as a checkpoint of a run is
    TrainedModel(model).save(path)
    image = np.random.default_rng(0).uniform(0, 255, (2, *size, 3)).astype(np.float32)
    np.save(path.with_suffix(".image.npy"), image)
    return model, image


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    """A folder of files and of what plain Keras answered, and the networks and images by name."""
    folder = tmp_path_factory.mktemp("plain")
    made = {key: saved(name, size, policy, folder / f"{key}.keras") for key, (name, size, _, policy) in SAVED.items()}
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, env=variables, check=True)
    return folder, made


@pytest.mark.parametrize("key", SAVED)
def test_plain_keras_answers_the_same(opened, key):
    folder, made = opened
    model, image = made[key]
    expected = keras.ops.convert_to_numpy(model(image))
    np.testing.assert_array_equal(np.load(folder / f"{key}.found.npy"), expected)
    again = load(folder / f"{key}.keras").network
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    assert [v.path for v in again.weights] == [v.path for v in model.weights]
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(image)), expected)
    with zipfile.ZipFile(folder / f"{key}.keras") as archive:
        assert len(json.loads(archive.read("segnet_hpu/layers.json"))) == SAVED[key][2]


def test_files_with_our_layers_themselves_still_open(tmp_path):
    model = build_model("segnet_basic", 3, 30, 45)
    model.save(tmp_path / "net.keras")
    network = load(tmp_path / "net.keras").network
    assert {MaxPoolingWithMask, Unpooling} < {type(layer) for layer in network.layers}
