"""Pooling with a mask and unpooling: against NumPy, finite differences and TensorFlow's own operations."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from windows import pool, unpool

SHAPES = [(2, 4, 6, 3), (1, 45, 7, 2), (2, 5, 5, 1), (1, 1, 1, 4), (1, 1, 6, 2), (3, 23, 30, 2)]


def noise(shape, distinct=1000):
    """Few distinct values make many ties."""
    return np.random.default_rng(0).integers(-distinct, distinct, shape).astype(np.float32) / distinct


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("distinct", [1, 2, 1000])
def test_equals_numpy_with_ties_and_odd_sizes(shape, distinct):
    x = noise(shape, distinct)
    pooled, mask = MaxPoolingWithMask()(x)
    expected_pooled, expected_mask = pool(x)
    np.testing.assert_array_equal(pooled, expected_pooled)
    np.testing.assert_array_equal(mask, expected_mask)
    values = noise(expected_pooled.shape)
    np.testing.assert_array_equal(Unpooling()([values, mask]), unpool(values, expected_mask))


def test_every_tie_of_a_window():
    x = np.array(list(np.ndindex(3, 3, 3, 3)), np.float32).reshape(-1, 2, 2, 1)
    np.testing.assert_array_equal(MaxPoolingWithMask()(x)[1], pool(x)[1])


def test_the_sizes_of_the_authors_network():
    sizes, x = [], keras.KerasTensor((None, 360, 480, 2))
    for _ in range(5):
        pooled, mask = MaxPoolingWithMask()(x)
        sizes.append(pooled.shape[1:3])
        assert Unpooling()([pooled, mask]).shape == x.shape
        x = pooled
    assert sizes == [(180, 240), (90, 120), (45, 60), (23, 30), (12, 15)]


def test_bfloat16_keeps_its_type():
    x = keras.ops.cast(noise((1, 5, 6, 2), 3), "bfloat16")
    pooled, mask = MaxPoolingWithMask(dtype="bfloat16")(x)
    spread = Unpooling(dtype="bfloat16")([pooled, mask])
    assert keras.backend.standardize_dtype(spread.dtype) == "bfloat16"
    wide = keras.ops.convert_to_numpy(keras.ops.cast(x, "float32"))
    np.testing.assert_array_equal(keras.ops.cast(spread, "float32"), unpool(*pool(wide)))


def loss(x, weights):
    """A function of everything that pooling and unpooling give."""
    pooled, mask = MaxPoolingWithMask()(x)
    return keras.ops.sum(Unpooling()([keras.ops.tanh(pooled), mask]) * weights)


def test_gradients_are_those_of_finite_differences():
    tf = pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    # Distinct values, so far apart that no step changes which is the largest.
    x = rng.permutation(5 * 7 * 2).reshape(1, 5, 7, 2) / 35 - 1
    weights = rng.normal(size=x.shape).astype(np.float32)
    variable = tf.Variable(x, dtype=tf.float32)
    with tf.GradientTape() as tape:
        value = loss(variable, weights)
    gradient = tape.gradient(value, variable).numpy()
    step = 1e-3
    for place in np.ndindex(*x.shape):
        moved = [x.copy() for _ in range(2)]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (np.sum(unpool(np.tanh(pool(m)[0]), pool(m)[1]) * weights) for m in moved)
        assert gradient[place] == pytest.approx((up - down) / (2 * step), abs=1e-4)


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
def test_values_and_gradients_equal_argmax_and_scatter(size, jit_compile):
    """Ties included, but for XLA, which may give a window's gradient to another of its equal maxima."""
    tf = pytest.importorskip("tensorflow")
    x = tf.constant(noise((2, *size, 3), 10**6 if jit_compile else 2))
    weights = np.random.default_rng(1).normal(size=x.shape).astype(np.float32)

    def theirs(x):
        pooled, index = tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=True)
        flat = tf.scatter_nd(tf.reshape(index, (-1, 1)), tf.reshape(tf.tanh(pooled), (-1,)), [weights.size])
        return tf.reduce_sum(tf.reshape(flat, x.shape) * weights)

    def value_and_gradient(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        return value, tape.gradient(value, x)

    ours = tf.function(lambda: value_and_gradient(lambda x: loss(x, weights)), jit_compile=jit_compile)
    for mine, other in zip(ours(), value_and_gradient(theirs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-6)


OTHER_BACKEND = """
import numpy as np
from keras import ops
from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from windows import pool, unpool
x = np.random.default_rng(0).integers(-2, 2, (2, 5, 6, 3)).astype(np.float32)
pooled, mask = MaxPoolingWithMask()(x)
np.testing.assert_array_equal(ops.convert_to_numpy(mask), pool(x)[1])
np.testing.assert_array_equal(ops.convert_to_numpy(Unpooling()([pooled, mask])), unpool(*pool(x)))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend):
    pytest.importorskip(backend)
    here = Path(__file__).resolve()
    path = os.pathsep.join(map(str, (here.parents[3], here.parents[1])))
    done = subprocess.run([sys.executable, "-c", OTHER_BACKEND], capture_output=True, text=True,
                          env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
