"""Pretrained encoders, from files laid out as Keras publishes them."""

import dataclasses
import hashlib
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from local_server import serving
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.pretrained import load_encoder
from segnet_hpu.interchange.published import PUBLISHED
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoders import encoders
from segnet_hpu.training.model_setup import set_first_weights

SIZE = 64
MADE = {"mobilenet_v2": keras.applications.MobileNetV2, "resnet50": keras.applications.ResNet50,
        "efficientnet": keras.applications.EfficientNetB0}

APPLICATIONS = {name: one.traits["application"] for name, one in encoders.components().items()
                if "application" in one.traits}


def randomised(make, seed=0):
    """A network of Keras with weights that tell every layer apart and keep the signal's size."""
    keras.utils.set_random_seed(seed)
    network = make(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.8, 1.2, w.shape) for w in layer.weights])
        elif isinstance(layer, keras.layers.Normalization):
            mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
            layer.set_weights([mean, deviation ** 2, np.int32(0)])
            # What set_weights leaves to adapt().
            layer.finalize_state()
    return network


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """{encoder: (Keras' network, its weights in the published files' layout)}."""
    folder, made = tmp_path_factory.mktemp("published"), {}
    for name, make in MADE.items():
        network = randomised(make)
        network.save(folder / f"{name}.h5")
        made[name] = network, folder / f"{name}.h5"
    return made


def rgb():
    return np.random.default_rng(1).integers(0, 256, (1, SIZE, SIZE, 3)).astype(np.float32)


def layer_output(model, name):
    return np.asarray(keras.Model(model.input, model.get_layer(name).output)(rgb()))


@pytest.mark.parametrize("encoder,last,preprocess", [
    ("mobilenet_v2", "stage5_out_relu", keras.applications.mobilenet_v2.preprocess_input),
    # EfficientNet normalises inside Keras' network; ours does it once, in front.
    ("efficientnet", "stage5_top_activation", keras.applications.efficientnet.preprocess_input),
])
def test_raw_rgb_gives_what_keras_gives_for_its_own_input(encoder, last, preprocess, files):
    network, path = files[encoder]
    # Keras' padding of even sides, which moves the maps off the grid that decoders join them on.
    model = build_model(f"{encoder}_fcn_32", 3, SIZE, SIZE, width=4, align_maps=False)
    taken = load_encoder(model, str(path))
    assert len(taken) == sum(bool(layer.weights) for layer, _ in APPLICATIONS[encoder].layers(network))
    expected = network.predict(preprocess(rgb()), verbose=0)
    np.testing.assert_allclose(layer_output(model, last), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_a_network_of_bgr_is_turned_round(files):
    network, path = files["resnet50"]
    model = build_model("resnet50_unet", 3, SIZE, SIZE)
    taken = load_encoder(model, str(path))
    bgr = keras.applications.resnet50.preprocess_input(rgb())
    expected = keras.Model(network.input, network.get_layer("conv1_conv").output)(bgr)
    np.testing.assert_allclose(layer_output(model, "stage1_conv1_conv"), expected, rtol=1e-4, atol=1e-3)
    # A U-Net starts from f4: the fifth stage is not part of it.
    assert {name[:7] for name in taken} == {f"stage{i}_" for i in range(1, 5)}
    for name in taken:
        theirs = network.get_layer(name.split("_", 1)[1]).get_weights()
        if name != "stage1_conv1_conv":
            for ours, other in zip(model.get_layer(name).get_weights(), theirs, strict=True):
                np.testing.assert_array_equal(ours, other)


def test_unnamed_layers_find_their_own(tmp_path):
    """Xception's shortcuts have no names of their own, and Keras has numbered others before."""
    keras.layers.Conv2D(1, 1), keras.layers.BatchNormalization()
    network = keras.applications.Xception(weights=None, include_top=False, input_shape=(96, 96, 3))
    network.save(tmp_path / "x.h5")
    model = build_model("xception_unet", 3, 32, 32)
    load_encoder(model, str(tmp_path / "x.h5"))
    shortcuts = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
                 and layer.kernel_size == (1, 1)]
    for i, (layer, stage) in enumerate(zip(shortcuts[:3], (2, 3, 4), strict=True), start=1):
        np.testing.assert_array_equal(model.get_layer(f"stage{stage}_conv2d_{i}").get_weights()[0],
                                      layer.get_weights()[0])


@pytest.fixture
def mobilenet_online(files, tmp_path, monkeypatch):
    """MobileNetV2's file on a server of this machine; yields the list of requests."""
    body = files["mobilenet_v2"][1].read_bytes()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    with serving(body) as (address, asked):
        monkeypatch.setitem(PUBLISHED, "mobilenet_v2", dataclasses.replace(
            PUBLISHED["mobilenet_v2"], url=f"{address}/m.h5", size=len(body), md5=hashlib.md5(body).hexdigest()))
        yield asked


def test_imagenet_is_downloaded_once_and_is_the_default(mobilenet_online, files, tmp_path, capsys):
    for _ in range(2):
        model = build_model("mobilenet_v2_unet", 3, 32, 32)
        set_first_weights(model, SimpleNamespace(load_weights=None, init_from=None, encoder_weights=None))
    assert "encoder weights: imagenet" in capsys.readouterr().out
    assert mobilenet_online == ["/m.h5"]
    assert [p.name for p in (tmp_path / "keras" / "models").iterdir()] == ["m.h5"]
    np.testing.assert_array_equal(model.get_layer("stage1_Conv1").get_weights()[0],
                                  files["mobilenet_v2"][0].get_layer("Conv1").get_weights()[0])


def test_a_wrong_size_leaves_nothing(mobilenet_online, tmp_path, monkeypatch):
    monkeypatch.setitem(PUBLISHED, "mobilenet_v2", dataclasses.replace(PUBLISHED["mobilenet_v2"], size=10))
    with pytest.raises(RunError, match="offers .* bytes, expected 10"):
        load_encoder(build_model("mobilenet_v2_unet", 3, 32, 32), "imagenet")
    assert list((tmp_path / "keras" / "models").iterdir()) == []


def test_every_published_encoder_can_be_built():
    without = {"efficientnet_v2"}  # its file's size and checksum are not entered yet
    assert set(PUBLISHED) == set(APPLICATIONS) - without | {"vgg16"}
    assert set(PUBLISHED) < set(encoders.names())
    assert all(p.url.startswith("https://") and p.size > 1e6 for p in PUBLISHED.values())


def test_an_encoder_without_published_weights_starts_at_random(capsys):
    model = build_model("resnet18_unet", 3, 32, 32)
    before = model.get_weights()
    set_first_weights(model, SimpleNamespace(load_weights=None, init_from=None, encoder_weights=None))
    assert "encoder weights: random; none are published for the encoder of resnet18_unet" in capsys.readouterr().out
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(UsageError, match="resnet18_unet has no encoder with published weights.*expected random"):
        load_encoder(model, "imagenet")


@pytest.mark.parametrize("source,channels,message", [
    ("hed", 3, "hed is a VGG16, mobilenet_v2_unet has a mobilenet_v2"),
    ("nowhere.h5", 3, "nowhere.h5: no such file; expected imagenet, random"),
    ("{text}", 3, "is no weight file of mobilenet_v2"),
    ("{resnet50}", 3, "is no weight file of mobilenet_v2"),
    ("{mobilenet_v2}", 4, r"stage1_Conv1 holds \(3, 3, 3, 32\), the model needs \(3, 3, 4, 32\)"),
])
def test_what_does_not_fit_is_refused_and_nothing_is_set(source, channels, message, files, tmp_path):
    (tmp_path / "text.h5").write_text("weights of another kind")
    paths = {name: path for name, (_, path) in files.items()} | {"text": tmp_path / "text.h5"}
    model = build_model("mobilenet_v2_unet", 3, 32, 32, channels=channels)
    before = model.get_weights()
    with pytest.raises(UsageError, match=message):
        load_encoder(model, source.format(**paths))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
