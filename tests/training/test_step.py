"""The training step: what it returns, and that it updates as Keras' own does."""

import importlib.util
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from runs import ROOT, flags, newest, plain, rows, run
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.objectives.penalty import penalise
from segnet_hpu.training.step import make_train_step

# Ours and Keras' own on the same batches, each from the same start; exact where the backend repeats itself. Keras'
# own is told the momenta, which rise with the steps.
AGAINST_KERAS = """
import contextlib, keras, numpy as np, sys
from runs import small
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.objectives.penalty import penalise
from segnet_hpu.runtime.device import select_device
from segnet_hpu.training.step import make_train_step

# The one difference: under bf16 TensorFlow's own gradients of biases are wrong on the CPU.
keras_step = contextlib.nullcontext
if keras.backend.backend() == "tensorflow":
    from segnet_hpu.training.step.tensorflow import float32_bias_gradients as keras_step
rng = np.random.default_rng(0)
images = rng.integers(0, 256, (4, 2, 32, 48, 3), np.uint8)
labels = rng.integers(0, 4, (4, 2, 16, 24)).astype(np.uint8)  # 3 is no class
select_device("auto")
for policy in sys.argv[1:]:
    for name, options in (("adam", dict(weight_decay=0.01, clipnorm=1.0)), ("sgd", dict(accumulate=2, ema=0.9))):
        keras.config.set_dtype_policy(policy)
        ends, losses = [], []
        for ours in (True, False):
            keras.utils.set_random_seed(0)
            model = small()
            penalise(model, 0.001)
            optimizer = make_optimizer(name, 0.01, **options)
            if policy == "mixed_float16":
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            model.compile(optimizer, make_loss("ce"), auto_scale_loss=False)
            optimizer.build(model.trainable_variables)
            step = make_train_step(model, model.loss, count_pixels)
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            every = inner.gradient_accumulation_steps or 1
            for n, (x, y) in enumerate(zip(images, labels)):
                updates, waiting = divmod(n + 1, every)
                if not ours:
                    for layer in model.layers:
                        if isinstance(layer, keras.layers.BatchNormalization):
                            layer.momentum = np.float32(min(0.99, n / (n + 9)))
                    inner.ema_momentum = np.float32(1 if waiting else min(0.9, (updates - 1) / (updates + 8)))
                    model.make_train_function(force=True)
                with keras_step():
                    losses.append(step(x, y).loss if ours else float(model.train_on_batch(x, y)))
                model.reset_metrics()
            ends.append([np.array(keras.ops.convert_to_numpy(v)) for v in [*model.weights, *optimizer.variables]])
        np.testing.assert_allclose(losses[:4], losses[4:], rtol=1e-5)
        for one, other in zip(*ends, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{policy} {name}")
print("same")
"""


@pytest.mark.parametrize("backend,policies", [
    ("tensorflow", ["float32", "mixed_bfloat16", "mixed_float16"]), ("torch", ["float32", "mixed_float16"]),
    ("jax", ["float32"])])
def test_the_step_updates_as_keras_own(backend, policies):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests/training", ROOT / "tests")))
    done = subprocess.run([sys.executable, "-c", AGAINST_KERAS, *policies], capture_output=True, text=True,
                          env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": paths})
    assert done.stdout == "same\n", done.stderr[-3000:]


def test_loss_and_counts_of_a_step():
    """Against NumPy, with regularisation and the weight of a batch that is filled up with void."""
    keras.utils.set_random_seed(0)
    image = keras.Input((4, 6, 3))
    model = keras.Model(image, keras.layers.Conv2D(3, 1)(image))
    penalise(model, 0.5)
    model.compile(make_optimizer("sgd", 0.1), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    images = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 3, (2, 4, 6)).astype("uint8")
    labels[1] = 255
    logits, kernel = model.predict_on_batch(images)[0], np.array(model.weights[0])
    result = make_train_step(model, make_loss("ce"), count_pixels, loss_weight=2.0)(images, labels)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    data = -np.take_along_axis(log_p, labels[0, ..., None].astype(int), -1).mean() / 2
    assert result.loss == pytest.approx(2 * data + 0.5 * (kernel**2).sum(), rel=1e-5)
    assert result.counts == [(logits.argmax(-1) == labels[0]).sum(), 24]


class Logs(keras.callbacks.Callback):
    """Writes what it gets at the end of every batch to logs.json."""

    def on_train_begin(self, logs=None):
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(logs)

    def on_train_end(self, logs=None):
        Path("logs.json").write_text(json.dumps(self.seen))


def test_an_epochs_loss_and_accuracy_are_those_of_all_its_steps(tmp_path, data):
    """With weights that stand still, an epoch's steps together see every image once: so do we, with NumPy."""
    still = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-12, batch_size=2, epochs=2)
    status, _, err = run(tmp_path, *flags(**data | dict(validate=False), **still), model=plain, callbacks=[Logs()])
    assert status == 0, (status, err)
    names = [str(i) for i in range(10)]
    labels = np.array([cv2.imread(f"{data['train_annotations']}/{n}.png", 0) for n in names])
    images = np.array([cv2.imread(f"{data['train_images']}/{n}.png")[..., ::-1] for n in names], np.float32)
    logits = keras.saving.load_model(newest(tmp_path / "run")).predict(images, verbose=0).astype(float)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    losses = -np.take_along_axis(log_p, labels[..., None].astype(int), -1)[..., 0].mean((1, 2))
    assert losses.std() > 0.01 * losses.mean()
    for row in rows(tmp_path):
        assert float(row["loss"]) == pytest.approx(losses.mean(), rel=1e-4)
        assert float(row["accuracy"]) == pytest.approx((logits.argmax(-1) == labels).mean(), abs=1e-4)
    seen = json.loads((tmp_path / "logs.json").read_text())
    # As Keras' fit has it: means of the epoch so far.
    assert len(seen) == 10 and len({logs["loss"] for logs in seen[:5]}) == 5
    for i in (4, 9):
        assert seen[i] == pytest.approx({name: float(rows(tmp_path)[0][name]) for name in ("loss", "accuracy")})


def test_a_network_after_another_is_no_retracing_to_warn_of(caplog):
    """TensorFlow warns from the fifth on; of the user's own functions it still does."""
    tf, logger = pytest.importorskip("tensorflow"), logging.getLogger("tensorflow")
    images, labels = np.zeros((1, 32, 48, 3), np.uint8), np.zeros((1, 32, 48), np.uint8)
    logger.addHandler(caplog.handler)
    for _ in range(6):
        model = plain()
        model.compile(make_optimizer("sgd", 0.1), make_loss("ce"), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        make_train_step(model, model.loss)(images, labels)
        Predictor(model).predict(images)
        tf.function(lambda x: x + 1)(tf.zeros(2))
    logger.removeHandler(caplog.handler)
    warned = [message for message in caplog.messages if "retracing" in message]
    assert warned and all("test_a_network_after_another" in message for message in warned)
