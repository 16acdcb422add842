"""Maps that are joined lie over each other: measured by where in the picture their values look."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.registry import MODELS, find, input_size
from segnet_hpu.models.resizing import resized_model

STRIDED = [name for name, one in encoders.components().items() if one.traits.get("corner_grid")]
SIZE = (256, 256)
slow = pytest.mark.skipif(not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 measures it too")


@pytest.fixture(autouse=True)
def fresh():
    yield
    keras.utils.clear_session()


class Nothing(keras.layers.Layer):
    """Returns its input, of several the first."""

    def call(self, inputs, mask=None, training=None):
        return inputs[0] if isinstance(inputs, list) else inputs


LINEAR = (keras.layers.ReLU, keras.layers.Activation, keras.layers.BatchNormalization, keras.layers.Dropout,
          keras.layers.Multiply)


def simplified(model):
    """The model made linear, with even windows where it strides and no others, and without global context."""
    def linear(layer):
        config = layer.get_config()
        if isinstance(layer, LINEAR):
            return Nothing(name=layer.name)
        if isinstance(layer, keras.layers.MaxPooling2D):
            return keras.layers.AveragePooling2D.from_config(config)
        return type(layer).from_config(config | {"activation": "linear"} if "activation" in config else config)

    flat = keras.models.clone_model(model, clone_function=linear)
    for layer in flat.layers:
        weights = [np.ones_like(w) / np.prod(w.shape[:3] if w.shape[-1] > 1 else w.shape[:2])
                   for w in layer.get_weights()]
        strides = getattr(layer, "strides", 1)
        if weights and strides in (1, (1, 1)) and weights[0].ndim == 4:  # the middle of a window alone
            middle = np.zeros(weights[0].shape[:2])
            middle[tuple(side // 2 for side in middle.shape)] = 1
            weights[0] = weights[0] * middle[:, :, None, None]
        layer.set_weights([w * (layer.name != "aspp_image_conv") for w in weights])
    return flat


def centre(model, tensor, cell):
    """Return where `cell` by `cell` values in a map's middle look, their gradient's centre, and their place there.

    Both are (y, x), in pixels of the picture and of the map.
    """
    part = keras.Model(model.input, tensor)
    picture = tf.zeros((1, *model.input_shape[1:]))
    with tf.GradientTape() as tape:
        tape.watch(picture)
        values = part(picture)
        corner = [side // 2 // cell * cell for side in values.shape[1:3]]
        middle = tf.reduce_sum(values[:, corner[0]:corner[0] + cell, corner[1]:corner[1] + cell])
    gradient = np.abs(tape.gradient(middle, picture)).sum(axis=(0, 3))
    seen = [(np.arange(n) * gradient.sum(axis=1 - axis)).sum() for axis, n in enumerate(gradient.shape)]
    return np.array(seen) / gradient.sum(), np.array(corner) + (cell - 1) / 2


def joined(model):
    """The layers of a decoder that join maps, in order."""
    return [layer for layer in model.layers if isinstance(layer, keras.layers.Concatenate | keras.layers.Add)
            and layer.name.startswith("decoder")]


def aside(model, cell):
    """By how many pixels the joined maps of a decoder lie beside each other, at most."""
    flat = simplified(model)
    centres = [[centre(flat, tensor, cell)[0] for tensor in layer.input] for layer in joined(flat)]
    return max(np.abs(np.diff(one, axis=0)).max() for one in centres)


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "resnet18" else slow) for name in STRIDED])
def test_strided_encoders_lie_on_the_corner_grid(name):
    encoder = encoders.find(name)
    grid = {"corner_grid": True} if "corner_grid" in encoder.parameters else {}
    image = keras.Input((*SIZE, 3))
    flat = simplified(keras.Model(image, encoder.target(image, **grid)))
    for level, tensor in enumerate(flat.output, start=1):
        seen, place = centre(flat, tensor, 1)
        np.testing.assert_allclose(seen, 2**level * place, atol=0.1)


@pytest.mark.parametrize("decoder,options", [
    ("deeplabv3plus", {}), ("unet", {}), pytest.param("deeplabv3plus", {"output_stride": 8}, marks=slow),
    pytest.param("linknet", {}, marks=slow), pytest.param("linknet", {"use_upsampling": False}, marks=slow),
    pytest.param("fcn_8", {"width": 8}, marks=slow), pytest.param("fcn_8_wide", {"width": 8}, marks=slow)])
def test_joined_maps_lie_over_each_other(decoder, options):
    flat = simplified(build_model(f"resnet18_{decoder}", 2, *SIZE, **options))
    assert joined(flat)
    for layer in joined(flat):
        one, other = (centre(flat, tensor, 4)[0] for tensor in layer.input)
        np.testing.assert_allclose(one, other, atol=0.1)
    if decoder != "unet":  # whose logits are half as high and wide as the picture
        seen, place = centre(flat, flat.output, 32)
        np.testing.assert_allclose(seen, place, atol=0.1)


@slow
def test_what_earlier_releases_did():
    """Maps 6 pixels aside, as found; align_maps=False still makes that network."""
    flat = simplified(build_model("resnet18_deeplabv3plus", 2, *SIZE, align_maps=False))
    one, other = (centre(flat, tensor, 4)[0] for tensor in joined(flat)[0].input)
    np.testing.assert_allclose(other - one, 6, atol=0.1)


def test_sides_of_16n_plus_1():
    assert input_size("deeplabv3plus", 513, 513) == (513, 513)
    for name, align_maps in (("vgg16_deeplabv3plus", True), ("deeplabv3plus", False)):
        with pytest.raises(UsageError, match="input_height is 513; .* multiples of 8: 512 or 520"):
            input_size(name, 513, 513, align_maps=align_maps)
    with pytest.raises(UsageError, match="input_height is 34; .* multiples of 8 and one more: 32 or 40"):
        input_size("deeplabv3plus", 34, 40)
    model = build_model("resnet18_deeplabv3plus", 3, 33, 49)
    assert model.output_shape == (None, 33, 49, 3)
    built = build_model("resnet18_deeplabv3plus", 3, 65, 33)
    built.set_weights(model.get_weights())
    picture = np.random.default_rng(0).integers(0, 256, (1, 65, 33, 3)).astype(np.float32)
    expected = np.asarray(built(picture))
    np.testing.assert_allclose(resized_model(model, (65, 33))(picture), expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", [name for name in MODELS if MODELS[name].encoder in STRIDED][:9])
def test_keras_segmentations_networks_stay_as_they_are(name):
    """They have the layers that they had: the same network as without align_maps."""
    assert name.startswith(("fcn_", "resnet50_", "mobilenet_"))
    assert find(name) == find(name, align_maps=False)
