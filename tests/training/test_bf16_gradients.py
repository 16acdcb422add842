"""bf16 on the CPU: every gradient of a step against the same layer's in float32; benchmarks/bf16_gradients.py has all
networks."""

import sys

import keras
import numpy as np
import pytest

from runs import ROOT
from segnet_hpu.models.build import build_model
from segnet_hpu.training.step import make_train_step

sys.path.insert(0, str(ROOT / "benchmarks"))
bf16_gradients = pytest.importorskip("bf16_gradients", reason="it is for TensorFlow")


@pytest.fixture(autouse=True)
def bf16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def every_way_to_add_a_bias(n_classes, height, width):
    image = keras.Input((height, width, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    x = keras.layers.Conv2D(4, 3, padding="same", dilation_rate=2, activation="relu", name="dilated")(x)
    x = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = keras.layers.SeparableConv2D(4, 3, padding="same", name="separable")(x)
    x = keras.layers.BatchNormalization(name="norm")(keras.layers.Conv2D(4, 2, strides=2, name="strided")(x))
    x = keras.layers.PReLU(shared_axes=(1, 2), name="prelu")(keras.layers.Dense(6, name="dense")(x))
    x = keras.layers.Conv2DTranspose(n_classes, 2, strides=2, name="transposed")(x)
    return keras.Model(image, keras.layers.Activation("linear", dtype="float32")(x))


@pytest.mark.parametrize("name", [every_way_to_add_a_bias, "unet_mini"])
def test_gradients_are_those_of_float32(name):
    keras.utils.set_random_seed(0)
    model = build_model(name, 12, 192, 256)
    batch = bf16_gradients.pictures((1, 192, 256, 3), model.output_shape)
    rows = list(bf16_gradients.compare_gradients(model, *batch))
    assert {path.split("/")[0] for path, *_ in rows} >= {layer.name for layer in model.layers if layer.weights}
    for path, ratio, cosine in rows:
        assert abs(ratio - 1) < 0.02 and cosine > 0.999, (path, ratio, cosine)


def test_a_step_moves_biases_as_far_as_float32_does():
    """A step of rate 1 subtracts the gradient: that of a bias is the sum over pictures and pixels."""
    moved = {}
    for policy in ("float32", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        image = keras.Input((192, 256, 3))
        x = keras.layers.Conv2DTranspose(4, 1, kernel_initializer="zeros", name="last")(image)
        model = keras.Model(image, keras.layers.Activation("linear", dtype="float32")(x))
        model.compile(keras.optimizers.SGD(1.0), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        step = make_train_step(model, lambda targets, logits: keras.ops.sum(targets * logits))
        targets = np.random.default_rng(0).uniform(0.5, 1, (2, 192, 256, 4)).astype("float32")
        step(np.ones((2, 192, 256, 3), "float32"), targets)
        moved[policy] = model.get_layer("last").get_weights()[1]
    np.testing.assert_allclose(moved["float32"], -targets.sum((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(moved["mixed_bfloat16"], moved["float32"], rtol=0.01)
