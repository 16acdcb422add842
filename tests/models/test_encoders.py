"""Encoders: the strides of their maps, dilation, published sizes, freezing, and other channel counts."""

import functools

import keras
import numpy as np
import pytest

from segnet_hpu.models import registry
from segnet_hpu.models.build import build_model
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.encoder_stages import freeze_stages
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.normalisation import TORCH
from segnet_hpu.models.encoders.rebuild import Application, register
from segnet_hpu.models.roles import mark_stages, role_of

APPLICATIONS = {name: one.traits["application"] for name, one in encoders.components().items()
                if "application" in one.traits}


@pytest.fixture(autouse=True)
def fresh():
    yield
    keras.utils.clear_session()


def features(name, size=(64, 96), output_stride=32, channels=3):
    x = keras.Input((*size, channels))
    return keras.Model(x, encoders.find(name).target(x, output_stride=output_stride))


@functools.cache
def outline(name, output_stride=32):
    """An encoder without numbers; to build the deep ones takes seconds."""
    with keras.StatelessScope(initialize_variables=False):
        return features(name, output_stride=output_stride)


def test_the_registrys_names_are_those_that_can_be_built():
    pairs = {f"{encoder}_{decoder}" for encoder in encoders.names() for decoder in decoders.names()}
    assert set(registry.names()) == set(registry.MODELS) | pairs


@pytest.mark.parametrize("name", encoders.names())
def test_five_maps_each_half_the_one_before(name):
    for output_stride, strides in ((32, (2, 4, 8, 16, 32)), (8, (2, 4, 8, 8, 8))):
        model = outline(name, output_stride=output_stride)
        assert [shape[1:3] for shape in model.output_shape] == [(64 // s, 96 // s) for s in strides]
        # Every stage has weights to freeze.
        mark_stages(model.outputs)
        assert {role_of(layer).stage for layer in model.layers if layer.weights} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("name,weights", [
    # torchvision's counts, which leave out batch statistics, less the classifier's 512 * 1000 + 1000.
    ("resnet18", 11_689_512 - 513_000), ("resnet34", 21_797_672 - 513_000),
])
def test_published_sizes(name, weights):
    model = outline(name)
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == weights


@pytest.mark.parametrize("name", APPLICATIONS)
def test_all_of_keras_network_is_there(name):
    with keras.StatelessScope(initialize_variables=False):
        theirs = [tuple(w.shape) for layer, _ in APPLICATIONS[name].layers(APPLICATIONS[name].original())
                  for w in layer.weights]
    ours = [tuple(w.shape) for layer in outline(name).layers for w in layer.weights]
    assert sorted(ours) == sorted(theirs)


@pytest.mark.parametrize("name,first", [("vanilla", 0), ("vgg16", 0), ("resnet18", 0), ("resnet50", 0),
                                        ("mobilenet", 0), ("mobilenet_v2", 1)])
def test_a_dilated_encoder_sees_the_same_at_every_second_pixel(name, first):
    """The weights of stride 32 at stride 16; `first`: where padding sets the first pixel that was kept."""
    keras.utils.set_random_seed(0)
    coarse, fine = features(name, (64, 64)), features(name, (64, 64), 16)
    fine.set_weights(coarse.get_weights())
    x = np.random.default_rng(0).normal(0, 1, (1, 64, 64, 3)).astype(np.float32)
    expected, found = coarse(x), fine(x)
    for i in range(4):
        np.testing.assert_allclose(found[i], expected[i], atol=1e-5)
    assert found[4].shape[1:3] == (4, 4)
    np.testing.assert_allclose(found[4][:, first::2, first::2], expected[4], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", encoders.names())
def test_some_hundred_steps_are_enough_for_the_statistics(name):
    """What is left of the first statistics after 300 steps must not decide what an evaluation sees."""
    momenta = [layer.momentum for layer in outline(name).layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert all(momentum**300 < 0.05 for momentum in momenta)


@pytest.mark.parametrize("name,channels", [("vanilla", 1), ("mobilenet_v2", 4), ("efficientnet", 5)])
def test_other_channel_counts(name, channels):
    model = build_model(f"{name}_unet", 3, 32, 32, channels=channels)
    assert model.input_shape == (None, 32, 32, channels)
    image = np.full((1, 32, 32, channels), 127.0, np.float32)
    normalised = keras.Model(model.input, model.get_layer("normalise").output)(image)
    # Mid-grey comes near zero, in units of the network's own input.
    assert np.abs(normalised).max() < (0.6 if name != "vanilla" else 15)
    assert np.ptp(normalised) == 0
    assert np.isfinite(model(image)).all()


def test_normalisation_by_channel():
    model = build_model("efficientnet_unet", 3, 32, 32)
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    normalised = keras.Model(model.input, model.get_layer("normalise").output)(image)
    expected = (image / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(normalised, expected, rtol=1e-4, atol=1e-5)


def test_frozen_stages_of_an_application():
    model = build_model("mobilenet_v2_unet", 3, 32, 32)
    freeze_stages(model, 2)
    frozen = {layer.name for layer in model.layers if layer.weights and not layer.trainable}
    assert "stage1_Conv1" in frozen and "stage2_block_2_project_BN" in frozen
    assert all(name.startswith(("stage1_", "stage2_")) for name in frozen)
    assert model.get_layer("stage3_block_3_expand").trainable


def test_a_new_encoder_of_keras_is_one_line():
    ends = ("conv1_relu", "pool2_conv", "pool3_conv", "pool4_conv", "relu")
    register("densenet121", Application("DenseNet121", ends), normalisation=TORCH)
    try:
        model = build_model("densenet121_unet", 3, 32, 64)
        assert registry.find("densenet121_unet").encoder == "densenet121" and "densenet121_pspnet" in registry.names()
        assert model.output_shape == (None, 16, 32, 3)
        freeze_stages(model, 3)
        assert not model.get_layer("stage3_pool3_conv").trainable
        assert model.get_layer("stage4_conv4_block1_1_conv").trainable
    finally:
        del encoders.components()["densenet121"]
