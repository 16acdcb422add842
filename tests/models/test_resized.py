"""The same weights at another size, against a network that was built for that size."""

import keras
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.models.cost import outline
from segnet_hpu.models.resizing import resized_model, scaled_size


@pytest.mark.parametrize("name,size,other", [
    ("enet", (64, 96), (96, 72)),
    ("segnet_basic", (40, 56), (45, 63)),
    ("mobilenet_deeplabv3plus", (64, 64), (96, 128)),
    ("mobilenet_pspnet", (192, 192), (192, 384)),
    ("pspnet_50", (233, 233), (89, 137)),
])
def test_it_answers_as_the_network_built_for_that_size(name, size, other):
    keras.utils.set_random_seed(0)
    model = build_model(name, 3, *size)
    built = build_model(name, 3, *other)
    built.set_weights(model.get_weights())
    resized = resized_model(model, other)
    assert resized.input_shape == built.input_shape and resized.output_shape == built.output_shape
    image = np.random.default_rng(0).integers(0, 256, (1, *other, 3)).astype(np.float32)
    expected = np.asarray(built(image))
    assert expected.std() > 0
    np.testing.assert_allclose(resized(image), expected, atol=1e-5 * np.abs(expected).max())
    assert resized.weights[0] is model.weights[0]  # shared, not copied
    assert resized_model(model, size) is model


@pytest.mark.parametrize("name,size,scale,expected", [
    ("vgg_segnet", (416, 608), 0.75, (320, 448)),  # 312 and 456, to multiples of 32
    ("pspnet_50", (473, 473), 1.5, (713, 713)),    # 48 n + 41, the published larger size
    ("pspnet", (384, 576), 0.3, (192, 192)),       # the least that there is
    ("segnet_basic", (360, 480), 0.75, (272, 352)),
    ("of_a_user", (32, 48), 2, (64, 96)),
    ("of_a_user", (32, 48), 1, (32, 48)),
])
def test_nearest_size(name, size, scale, expected):
    image = keras.Input((*size, 3))
    model = keras.Model(image, keras.layers.ReLU()(image)) if name == "of_a_user" else outline(name, 3, *size)
    assert scaled_size(model, scale) == expected


@pytest.fixture(scope="module")
def deeplab():
    return build_model("mobilenet_v2_deeplabv3plus", 3, 360, 480)


@pytest.mark.parametrize("scale,size", [(0.25, (88, 128)), (1.25, (456, 608)), (1.75, (632, 832)), (2, (712, 960))])
def test_maps_that_no_side_divides_by_fit_each_other(deeplab, scale, size):
    """The 22.5 rows at 360 pixels are 23, and the 28.5 at 456 are 29."""
    assert scaled_size(deeplab, scale) == size
    resized = resized_model(deeplab, size)
    assert resized.output_shape == (None, *size, 3)
    sides = [tensor.shape[1:3] for tensor in resized.get_layer("aspp").input]
    assert sides == [(-(-size[0] // 16), -(-size[1] // 16))] * 5


def test_odd_maps_answer_as_the_network_built_for_that_size(deeplab):
    built = build_model("mobilenet_v2_deeplabv3plus", 3, 88, 128)
    built.set_weights(deeplab.get_weights())
    image = np.random.default_rng(0).integers(0, 256, (1, 88, 128, 3)).astype(np.float32)
    expected = np.asarray(built(image))
    np.testing.assert_allclose(resized_model(deeplab, (88, 128))(image), expected, atol=1e-5 * np.abs(expected).max())


def test_maps_that_do_not_fit_are_refused():
    x = image = keras.Input((24, 24, 3))
    x = keras.layers.Concatenate()([keras.layers.Resizing(9, 9)(x), keras.layers.Conv2D(2, 16)(x)])
    with pytest.raises(UsageError, match="odd, which takes 24x24 pixels, cannot take 48x48"):
        resized_model(keras.Model(image, x, name="odd"), (48, 48))


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="enet cannot take 60x64 pixels; expected .* by multiples of 8"):
        resized_model(outline("enet", 3, 64, 64), (60, 64))


def test_a_network_for_one_size_is_refused():
    image = keras.Input((8, 8, 3))
    x = keras.layers.Reshape((8, 8, 2))(keras.layers.Dense(128)(keras.layers.Flatten()(image)))
    with pytest.raises(UsageError, match="dense, which takes 8x8 pixels, cannot take 16x16"):
        resized_model(keras.Model(image, x, name="dense"), (16, 16))
