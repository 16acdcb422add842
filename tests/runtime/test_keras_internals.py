"""What we touch of Keras' inside is there, and under a Keras without it one line says so."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import keras_internals

ROOT = Path(__file__).resolve().parents[2]

# Every optimizer on torch, whose Keras updates all variables in one call: one with 10 times the rate for the second
# variable, against one optimizer for each.
SCALED = """
import keras, numpy as np
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.runtime.keras_internals import scale_rate

gradients = np.random.default_rng(4).normal(0, 3, (5, 2, 3, 2)).astype("float32")
for name in "adam adamw sgd rmsprop adadelta adagrad nadam adamax adafactor ftrl lion".split():
    def weights():
        return keras.Variable(np.arange(1, 7, dtype="float32").reshape(3, 2) / 7, name="kernel")
    def optimizer(rate):
        return make_optimizer(name, rate, weight_decay=0.05)
    together, pair = optimizer(0.01), [weights(), weights()]
    together.build(pair)
    scale_rate(together, pair[1:], 10)
    alone = [(optimizer(rate), weights()) for rate in (0.01, 0.1)]
    for both in gradients:
        together.apply([keras.ops.convert_to_tensor(g) for g in both], pair)
        for gradient, (one, variable) in zip(both, alone):
            one.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    for variable, (_, other) in zip(pair, alone):
        one, other = map(keras.ops.convert_to_numpy, (variable, other))
        np.testing.assert_allclose(one, other, rtol=1e-6, err_msg=name)
print("scaled")
"""


def test_a_keras_without_them_is_refused_in_one_line(monkeypatch):
    keras_internals.check_keras()
    monkeypatch.delattr(keras.layers.BatchNormalization, "_moments")
    with pytest.raises(UsageError) as refused:
        keras_internals.check_keras()
    assert str(refused.value) == (f"Keras {keras.__version__} has no BatchNormalization._moments; expected Keras "
                                  "3.12.4 to 3.15. Run pip install 'keras>=3.12.4,<3.16'")


def test_scaled_rates_on_torch():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", SCALED], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "KERAS_BACKEND": "torch"})
    assert done.stdout == "scaled\n", done.stderr[-3000:]
