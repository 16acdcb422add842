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
import sys, keras, numpy as np
model = keras.models.load_model("net.keras")
np.save("found.npy", np.asarray(model(np.load("image.npy"))))
assert "segnet_hpu" not in sys.modules
"""


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name,size,ours", [("segnet_basic", (30, 45), 9), ("enet", (32, 48), 4)])
def test_plain_keras_answers_the_same(name, size, ours, policy, tmp_path):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = build_model(name, 3, *size)
    finally:
        keras.config.set_dtype_policy(before)
    model.compile("sgd", "mse")  # as a checkpoint of a run is
    TrainedModel(model).save(tmp_path / "net.keras")
    image = np.random.default_rng(0).uniform(0, 255, (2, *size, 3)).astype(np.float32)
    np.save(tmp_path / "image.npy", image)
    expected = np.asarray(model(image))
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, env=variables, check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), expected)
    again = load(tmp_path / "net.keras").network
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    assert [v.path for v in again.weights] == [v.path for v in model.weights]
    np.testing.assert_array_equal(again(image), expected)
    with zipfile.ZipFile(tmp_path / "net.keras") as archive:
        assert len(json.loads(archive.read("segnet_hpu/layers.json"))) == ours


def test_files_with_our_layers_themselves_still_open(tmp_path):
    model = build_model("segnet_basic", 3, 30, 45)
    model.save(tmp_path / "net.keras")
    network = load(tmp_path / "net.keras").network
    assert {MaxPoolingWithMask, Unpooling} < {type(layer) for layer in network.layers}
