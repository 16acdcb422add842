"""Local response normalisation against Caffe's formula, element by element."""

import keras
import numpy as np
import pytest

from segnet_hpu.models.layers import LocalResponseNormalization


@pytest.mark.parametrize("channels,size", [(3, 5), (1, 5), (8, 3), (9, 5)])
def test_equals_the_formula(channels, size):
    x = np.random.default_rng(0).uniform(0, 255, (2, 3, 4, channels)).astype(np.float32)
    expected = np.empty(x.shape)
    for c in range(channels):
        near = x[..., max(c - size // 2, 0):c + size // 2 + 1].astype(np.float64)
        expected[..., c] = x[..., c] / (1 + 1e-4 / size * (near**2).sum(-1)) ** 0.75
    layer = LocalResponseNormalization(size, 1e-4, 0.75)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)
    again = LocalResponseNormalization.from_config(layer.get_config())
    np.testing.assert_array_equal(again(x), layer(x))


def test_tensorflows_own_agrees():
    tf = pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("another backend is in use")
    x = np.random.default_rng(1).normal(0, 100, (1, 5, 5, 7)).astype(np.float32)
    theirs = tf.nn.lrn(x, depth_radius=2, bias=1, alpha=1e-4 / 5, beta=0.75)
    np.testing.assert_allclose(LocalResponseNormalization(5, 1e-4, 0.75)(x), theirs, rtol=1e-5)
