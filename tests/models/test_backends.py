"""The networks on Keras' other backends: built, run and trained one step, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# One of each decoder and of what else is special: index-free layers only, resizing, transposed convolutions.
CODE = """
import keras, numpy as np
from segnet_hpu.models.build import build_model
from segnet_hpu.objectives.losses import make_loss
for name, size, options in [("vgg_segnet", (32, 48), {}), ("resnet18_unet", (32, 32), {}),
                            ("vanilla_fcn_8", (32, 64), {"width": 16}), ("fcn_8", (32, 64), {"width": 16}),
                            ("pspnet", (192, 192), {}), ("unet_mini", (32, 32), {}),
                            ("mobilenet_v2_deeplabv3plus", (32, 40), {"separable": True})]:
    keras.utils.set_random_seed(0)
    model = build_model(name, 3, *size, **options)
    x = np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype("float32")
    labels = np.zeros((2, *model.output_shape[1:3]), "int32")
    labels[:, 10:] = 1
    weights = model.get_weights()
    model.compile(keras.optimizers.SGD(1e-3), make_loss("ce"))
    loss = float(model.train_on_batch(x, labels))
    changed = sum(not np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
    logits = model.predict_on_batch(x)
    print(keras.backend.backend(), name, logits.shape == model.output_shape or logits.shape[1:] ==
          model.output_shape[1:], np.isfinite(loss), changed > len(weights) // 2, sep=",")
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_builds_runs_and_trains(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    done = subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "KERAS_BACKEND": backend})
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.split()
    assert len(lines) == 7
    assert all(line.startswith(f"{backend},") and line.endswith("True,True,True") for line in lines), lines
