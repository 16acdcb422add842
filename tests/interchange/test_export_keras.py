"""A .keras file for Keras alone: opened where this package cannot be imported."""

import subprocess
import sys

import cv2
import keras
import numpy as np

from exported import SIZE, export
from segnet_hpu.inference.predictor import Predictor

SCRIPT = """
import sys
sys.modules["segnet_hpu"] = None
import keras, numpy as np
for output in ("logits", "softmax", "classes"):
    model = keras.models.load_model(f"{output}.keras")
    assert {layer.compute_dtype for layer in model.layers if isinstance(layer, keras.Layer)} == {"float32"}
    np.save(f"{output}.npy", model.predict(np.load("pictures.npy"), verbose=0))
"""


def test_plain_keras_answers_as_this_package_does(pieces, tmp_path, capsys):
    pictures = np.stack([cv2.imread(str(pieces / f"images/{i}.png"))[..., ::-1] for i in range(3)])
    np.save(tmp_path / "pictures.npy", pictures.astype(np.float32))
    for output in ("logits", "softmax", "classes"):
        assert export("--checkpoints_path", pieces / "model.keras", "--format", "keras", "--output", output, "--out",
                      tmp_path / f"{output}.keras", "--verify", "--verify_images", pieces / "images") == 0
        assert "100.000 % of the pixels of 12 pictures agree with Keras" in capsys.readouterr().out
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=tmp_path, check=True)
    model = keras.saving.load_model(pieces / "model.keras")
    logits = np.asarray(model(pictures.astype(np.float32)))
    np.testing.assert_allclose(np.load(tmp_path / "logits.npy"), logits, atol=1e-5 * np.abs(logits).max())
    softmax = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    np.testing.assert_allclose(np.load(tmp_path / "softmax.npy"), softmax, atol=1e-5)
    classes = np.load(tmp_path / "classes.npy")
    assert classes.dtype == np.uint8 and classes.shape == (3, *SIZE)
    expected = np.stack([Predictor(model).predict([one])[0] for one in pictures])
    assert (classes == expected).mean() >= 0.999


def test_it_takes_one_size(pieces, tmp_path, capsys):
    assert export("--checkpoints_path", pieces / "model.keras", "--format", "keras", "--free_size", "--out",
                  tmp_path / "net.keras") == 2
    assert "--free_size: --format keras is made for one size" in capsys.readouterr().err
