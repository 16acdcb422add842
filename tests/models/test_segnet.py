"""SegNet and Bayesian SegNet: structure against the published files, outputs against a plain forward pass."""

import re

import keras
import numpy as np
import pytest

from base import ModelTester
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoder_stages import freeze_stages
from windows import pool, unpool

SMALL = ((8, 8), (8, 8), (16, 16, 16), (16, 16, 16), (16, 16, 16))


class SegnetTester(ModelTester):
    """Any size will do: odd ones."""

    stride, size, refused = 1, (33, 46), {}


class TestSegnetBasic(SegnetTester):
    model_name, parameters = "segnet_basic", 1_417_676


class TestBayesianSegnetBasic(SegnetTester):
    model_name, parameters, policies = "bayesian_segnet_basic", 1_417_676, ("float32",)


class TestSegnetVgg16(SegnetTester):
    model_name, parameters, options = "segnet_vgg16", 29_465_804, {"blocks": SMALL}
    policies = ("mixed_bfloat16",)


class TestBayesianSegnet(SegnetTester):
    model_name, parameters, options = "bayesian_segnet", 29_465_804, {"blocks": SMALL}
    policies = ("float32",)


def basic_layers():
    """facts: LRN; conv 7x7, BN, ReLU, pool, four times; unpool, conv, BN without ReLU; a 1x1 classifier."""
    yield "norm"
    for i in (1, 2, 3, 4):
        yield from (f"conv{i}", f"conv{i}_bn", f"relu{i}", f"pool{i}")
    for i in (4, 3, 2, 1):
        yield from (f"upsample{i}", f"conv_decode{i}", f"conv_decode{i}_bn")
    yield "conv_classifier"


def vgg16_layers():
    """facts: VGG16's convolutions with BN and ReLU, five poolings, and the mirror image."""
    blocks = {1: (1, 2), 2: (1, 2), 3: (1, 2, 3), 4: (1, 2, 3), 5: (1, 2, 3)}
    for b, numbers in blocks.items():
        for i in numbers:
            yield from (f"conv{b}_{i}", f"conv{b}_{i}_bn", f"relu{b}_{i}")
        yield f"pool{b}"
    for b, numbers in reversed(blocks.items()):
        yield f"upsample{b}"
        for i in reversed(numbers):
            yield from (f"conv{b}_{i}_D", f"conv{b}_{i}_D_bn", f"relu{b}_{i}_D")[:1 if b == i == 1 else 3]


def names_of(model):
    return [layer.name for layer in model.layers if layer.name not in ("image", "normalise", "logits")]


def forward(names, x, model):
    """Run the layers of these names, in order, with the model's weights, apart from its own layers."""
    masks = {}
    for name in names:
        w = [np.asarray(v) for v in model.get_layer(name).weights]
        if name == "norm":
            x = x / (1 + 1e-4 / 5 * np.sum(x**2, axis=-1, keepdims=True)) ** 0.75
        elif name.endswith("_bn"):
            gamma, beta, mean, variance = w
            x = gamma * (x - mean) / np.sqrt(variance + 1e-3) + beta
        elif name.startswith("conv"):
            x = np.asarray(keras.ops.conv(x, w[0], padding="same")) + w[1]
        elif name.startswith("relu"):
            x = np.maximum(x, 0)
        elif name.startswith("pool"):
            x, masks[name[4:]] = pool(x)
        else:
            x = unpool(x, masks[name.removeprefix("upsample")])
    return x


@pytest.mark.parametrize("model_name,published,options", [
    ("segnet_basic", basic_layers, {}), ("segnet_vgg16", vgg16_layers, {"blocks": SMALL})])
def test_the_network_is_the_published_one(model_name, published, options):
    names = [*published()]
    keras.utils.set_random_seed(1)
    model = build_model(model_name, 5, 21, 27, **options)
    assert names_of(model) == names
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.endswith("_bn"):  # nothing that batch normalisation starts with
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.weights])
    # Smooth pictures have ties and near ties only where the network makes them.
    image = rng.uniform(0, 255, (1, 21, 27, 3)).astype(np.float32)
    expected = forward(names, image, model)
    np.testing.assert_allclose(model(image), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_the_basic_layers_are_those_of_the_authors_file(real_data):
    text = (real_data / "weights/segnet_basic_camvid.prototxt").read_text()
    theirs = re.findall(r'name: "(\w+)"', text)[1:]  # the first is the network's own
    theirs = [name.replace("dense_softmax_inner_prod", "conv_classifier") for name in theirs if name != "argmax"]
    assert names_of(build_model("segnet_basic", 11, 32, 32)) == theirs


@pytest.mark.parametrize("model_name,plain,dropped", [
    ("bayesian_segnet_basic", "segnet_basic", {"encdrop3": "pool3", "encdrop4": "pool4",
                                               "decdrop4": "conv_decode4_bn", "decdrop3": "conv_decode3_bn"}),
    ("bayesian_segnet", "segnet_vgg16", {"encdrop3": "pool3", "encdrop4": "pool4", "encdrop5": "pool5",
                                         "decdrop5": "relu5_1_D", "decdrop4": "relu4_1_D", "decdrop3": "relu3_1_D"}),
])
def test_dropout_stands_where_the_authors_have_it(model_name, plain, dropped):
    options = {"blocks": SMALL} if plain == "segnet_vgg16" else {}
    model = build_model(model_name, 3, 32, 32, **options)
    names = names_of(model)
    assert {name: names[names.index(name) - 1] for name in names if "drop" in name} == dropped
    assert {model.get_layer(name).rate for name in dropped} == {0.5}
    other = build_model(plain, 3, 32, 32, **options)
    assert [name for name in names if name not in dropped] == names_of(other)
    # Without training nothing is dropped: the same weights give the same logits.
    other.set_weights(model.get_weights())
    image = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3))
    np.testing.assert_array_equal(model(image), other(image))
    assert not np.array_equal(model(image, training=True), other(image, training=True))


@pytest.mark.parametrize("size", [(1, 1), (16, 17), (45, 60)])
def test_any_size_comes_back(size):
    assert build_model("segnet_vgg16", 2, *size, blocks=SMALL).output_shape == (None, *size, 2)
    assert build_model("segnet_basic", 2, *size).output_shape == (None, *size, 2)


@pytest.mark.parametrize("model_name,options,frozen", [
    ("segnet_basic", {}, {"conv1", "conv2"}),
    ("segnet_vgg16", {"blocks": SMALL}, {"conv1_1", "conv1_2", "conv2_1", "conv2_2"})])
def test_freezing_leaves_the_decoder_alone(model_name, options, frozen):
    model = build_model(model_name, 2, 16, 16, **options)
    freeze_stages(model, 2)
    assert {layer.name for layer in model.layers if layer.weights and not layer.trainable} \
        == frozen | {f"{name}_bn" for name in frozen}
