"""FCN-8s for road, narrow and wide: scaled skips, first weights, dropout, and the real VGG16's sizes."""

import keras
import numpy as np
import pytest

from segnet_hpu.models.build import build_model

SIZE = (32, 64)
IMAGE = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3)).astype(np.float32)


def made(name, **options):
    keras.utils.set_random_seed(0)
    return build_model(name, 2, *SIZE, width=8, **options)


def test_scaled_skips_are_as_scores_with_scaled_kernels():
    at_once = made("fcn_8s_vgg", skip_scale=(1e-4, 1e-2))
    plain = made("fcn_8s_vgg")
    plain.set_weights(at_once.get_weights())
    different = np.abs(plain(IMAGE) - at_once(IMAGE)).max()
    for level, factor in ((3, 1e-4), (4, 1e-2)):
        score = plain.get_layer(f"classifier_{level}")
        kernel, bias = score.get_weights()
        score.set_weights([factor * kernel, bias])
    np.testing.assert_allclose(plain(IMAGE), at_once(IMAGE), rtol=1e-4, atol=1e-5)
    assert different > 1e-2  # the factors do something


def test_wide_decoder_adds_the_feature_maps_themselves():
    model = made("fcn_8s_wide_vgg")
    names = ("block3_pool", "block4_pool", "decoder_up4", "decoder_add4", "decoder_up3", "decoder_add3")
    pool3, pool4, up4, add4, up3, add3 = (np.asarray(x) for x in keras.Model(
        model.input, [model.get_layer(name).output for name in names])(IMAGE))
    assert add4.shape == (1, 2, 4, 512) and add3.shape == (1, 4, 8, 256)
    np.testing.assert_allclose(add4, up4 + np.float32(0.01) * pool4, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(add3, up3 + np.float32(0.001) * pool3, rtol=1e-5, atol=1e-6)
    kernels = [model.get_layer(name).kernel_size for name in ("decoder_up4", "decoder_up3", "classifier_up")]
    assert kernels == [(4, 4), (8, 8), (16, 16)]


@pytest.mark.parametrize("name,layers", [("fcn_8s_vgg", ["classifier_up"]), ("vanilla_fcn_8_wide", ["decoder_up4"])])
def test_head_starts_from_a_truncated_normal(name, layers):
    """Cut off at two deviations, which leaves 0.88 of one."""
    model = made(name, dropout=0.25)
    for layer in layers:
        values, = model.get_layer(layer).get_weights()
        assert np.abs(values).max() <= 0.02 + 1e-6
        assert values.std() == pytest.approx(0.0088, rel=0.1)
    assert {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)} == {0.25}
