"""Exported files against the Keras model, each run by what its users run it with."""

import json

import cv2
import keras
import numpy as np
import pytest

from exported import SIZE, export, network
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.interchange.export.formats import FORMATS, make_format
from segnet_hpu.interchange.export.formats.frozen_pb import FrozenGraph
from segnet_hpu.interchange.export.labels import describe
from segnet_hpu.interchange.export.serving import Serving
from segnet_hpu.models.build import build_model
from segnet_hpu.models.trained_model import InputCoding, TrainedModel

ENDINGS = {name: make_format(name).ending for name in FORMATS.names()}


def need(name):
    """Skip where another backend writes the format, or what writes or runs it is not installed."""
    export_format, backend = make_format(name), keras.config.backend()
    if backend not in export_format.backends:
        pytest.skip(f"{name} is not written by {backend}")
    for package in export_format.packages(backend) + export_format.readers:
        pytest.importorskip(package, reason=f"{package} is not installed: pip install 'segnet_hpu[export]'")


def flags(name, images):
    return ["--format", name, *(["--calibration_images", images] if make_format(name).calibrated else [])]


def load(name, path):
    return make_format(name).load(path)


@pytest.mark.parametrize("name", FORMATS.names())
def test_every_layer_in_every_format(pieces, tmp_path, capsys, name):
    need(name)
    images = pieces / "images"
    out = tmp_path / f"net{ENDINGS[name]}"
    assert export("--checkpoints_path", pieces / "model.keras", *flags(name, images), "--argmax", "--out", out,
                  "--verify", "--verify_images", images) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert f"{out}: pieces as {name}, classes" in said and "of the pixels of 12 pictures agree with Keras" in said

    run = load(name, out)
    predictor = Predictor(keras.saving.load_model(pieces / "model.keras"))
    pictures = [cv2.imread(str(p))[..., ::-1] for p in sorted(images.iterdir())]
    expected = np.stack([predictor.predict([one])[0] for one in pictures])
    batches = [np.stack(pictures)] if not name.startswith("tflite") else [one[None] for one in pictures]
    found = np.concatenate([run(batch) for batch in batches])
    assert found.dtype == np.uint8 and found.shape == (12, *SIZE)
    assert np.bincount(expected.ravel()).min() > 200  # the network did learn three classes
    assert (found == expected).mean() >= make_format(name).agreement
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []

    inside = {"saved_model": "assets.extra/labels.json", "openvino": "labels.json"}
    path = out / inside[name] if name in inside else tmp_path / f"{out.name}.labels.json"
    labels = json.loads(path.read_text())
    assert [one["name"] for one in labels["classes"]] == ["sky", "ground", "box"]
    assert [one["colour"] for one in labels["classes"]] == [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    assert labels["input"]["dtype"] == ("uint8" if name == "tflite_int8" else "float32")
    assert (labels["ignore_label"], labels["output"]) == (255, "classes")


@pytest.mark.parametrize("name,output", [("saved_model", "softmax"), ("tflite", "logits"), ("onnx", "softmax")])
def test_numbers(pieces, tmp_path, name, output):
    need(name)
    out = tmp_path / f"net{ENDINGS[name]}"
    assert export("--checkpoints_path", pieces / "model.keras", *flags(name, None), "--output", output,
                  "--out", out) == 0
    picture = cv2.imread(str(pieces / "images/3.png"))[None, ..., ::-1]
    expected = np.asarray(keras.saving.load_model(pieces / "model.keras")(picture.astype(np.float32)))
    if output == "softmax":
        expected = np.exp(expected) / np.exp(expected).sum(-1, keepdims=True)
    found = load(name, out)(picture)
    assert found.dtype == np.float32 and found.shape == expected.shape == (1, 17, 23, 3)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_a_quantised_file_takes_pixels_as_they_are_and_is_smaller(tmp_path, pieces):
    import tensorflow as tf

    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(64, 7)(keras.layers.Rescaling(1 / 127.5, -1)(image))
    TrainedModel(keras.Model(image, keras.layers.Conv2D(4, 7)(x), name="wide")).save(tmp_path / "wide.keras")
    sizes = {}
    for name in ("tflite", "tflite_fp16", "tflite_int8"):
        out = tmp_path / f"{name}.tflite"
        assert export("--checkpoints_path", tmp_path / "wide.keras", *flags(name, pieces / "images"), "--out",
                      out) == 0
        sizes[name] = out.stat().st_size
        (taken,) = tf.lite.Interpreter(str(out)).get_input_details()
        if name == "tflite_int8":
            assert taken["dtype"] == np.uint8 and taken["quantization"] == (1.0, 0)
    assert export("--checkpoints_path", tmp_path / "wide.keras", "--format", "saved_model", "--out",
                  tmp_path / "net") == 0
    weights = 7 * 7 * (3 * 64 + 64 * 4)
    assert 4 * weights < (tmp_path / "net/variables/variables.data-00000-of-00001").stat().st_size < 5 * weights
    assert sizes["tflite"] > 4 * weights > sizes["tflite_fp16"] > 2 * weights > sizes["tflite_int8"] > weights


def test_a_free_size_is_the_network_built_for_that_size(tmp_path):
    model = build_model("segnet", 3, 32, 48)
    TrainedModel(model).save(tmp_path / "free.keras")
    other = build_model("segnet", 3, 64, 32)
    other.set_weights(model.get_weights())
    picture = np.random.default_rng(0).integers(0, 256, (2, 64, 32, 3), np.uint8)
    expected = np.asarray(other(picture.astype(np.float32)))
    for name in ("frozen_pb", "tflite"):
        out = tmp_path / f"free{ENDINGS[name]}"
        assert export("--checkpoints_path", tmp_path / "free.keras", "--format", name, "--free_size", "--out",
                      out) == 0
        found = load(name, out)(picture[:1])
        np.testing.assert_allclose(found, expected[:1], atol=1e-3 * np.abs(expected).max())
        labels = json.loads((tmp_path / f"{out.name}.labels.json").read_text())
        assert labels["input"]["shape"][1:3] == [None, None] and labels["input"]["multiple_of"] == 16


def test_what_a_free_side_must_divide_by():
    onnx, looks = make_format("onnx"), Appearance.of(3)
    for options, expected in (({}, 16), ({"level": 4}, 32)):
        serving = Serving.of(build_model("segnet", 3, 32, 64, **options), "logits", free_size=True)
        assert json.loads(describe(serving, onnx, looks, None, InputCoding()))["input"]["multiple_of"] == expected
    image = keras.Input((8, 8, 3))
    own = Serving.of(keras.Model(image, keras.layers.Conv2D(3, 1)(image), name="own"), "logits", free_size=True)
    assert json.loads(describe(own, onnx, looks, None, InputCoding()))["input"]["multiple_of"] is None


def test_mixed_precision_becomes_float32(tmp_path, capsys):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = network()
    finally:
        keras.config.set_dtype_policy("float32")
    TrainedModel(model).save(tmp_path / "bf16.keras")
    plain = network()
    plain.set_weights(model.get_weights())
    out = tmp_path / "bf16.pb"
    assert export("--checkpoints_path", tmp_path / "bf16.keras", "--format", "frozen_pb", "--out", out) == 0
    assert "the file holds and computes float32" in capsys.readouterr().out
    picture = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3), np.uint8)
    expected = np.asarray(plain(picture.astype(np.float32)))
    np.testing.assert_allclose(load("frozen_pb", out)(picture), expected, atol=1e-4 * np.abs(expected).max())


def test_a_file_that_disagrees_fails(pieces, tmp_path, capsys, monkeypatch):
    honest = FrozenGraph.load
    monkeypatch.setattr(FrozenGraph, "load", lambda *args: lambda images: honest(*args)(255 - images))
    assert export("--checkpoints_path", pieces / "model.keras", "--format", "frozen_pb", "--out", tmp_path / "a.pb",
                  "--verify", "--verify_images", pieces / "images") == 1
    err = capsys.readouterr().err
    assert len(err.splitlines()) == 1 and "disagrees with" in err and "expected at most 0.1 %" in err


def test_overwriting_only_when_asked_for(pieces, tmp_path, capsys):
    argv = ["--checkpoints_path", pieces / "model.keras", "--format", "saved_model", "--out", tmp_path / "net"]
    assert export(*argv) == 0
    (tmp_path / "net/note.txt").write_text("of mine")
    assert export(*argv) == 2
    assert "exists; choose another name, or replace it with --overwrite" in capsys.readouterr().err
    assert (tmp_path / "net/note.txt").exists()
    assert export(*argv, "--overwrite", "--argmax") == 0
    assert not (tmp_path / "net/note.txt").exists() and [p.name for p in tmp_path.iterdir()] == ["net"]
    assert json.loads((tmp_path / "net/assets.extra/labels.json").read_text())["output"] == "classes"


OWN = """
from typing import Annotated
import io
import numpy as np
from segnet_hpu.components import Option
from segnet_hpu.interchange.export.formats import FileFormat

class Npz(FileFormat):
    ending = ".npz"

    def __init__(self, name: str, *, times: Annotated[int, Option("how often", minimum=1)] = 1) -> None:
        super().__init__(name)
        self.times = times

    def convert(self, serving, calibration=()):
        file = io.BytesIO()
        np.savez(file, *serving.model.get_weights() * self.times)
        return file.getvalue()

    def load(self, path, threads=None):
        raise NotImplementedError
"""


def test_a_format_of_the_users_own(pieces, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_format.py").write_text(OWN)
    argv = ["--checkpoints_path", pieces / "model.keras", "--format", "my_format:Npz", "--format.times"]
    assert export(*argv, 2, "--out", "net.npz") == 0
    weights = keras.saving.load_model(pieces / "model.keras").get_weights()
    assert len(np.load("net.npz")) == 2 * len(weights)
    assert json.loads((tmp_path / "net.npz.labels.json").read_text())["format"] == "my_format:Npz"
    assert export(*argv, 0, "--out", "none.npz") == 2 and "--format.times is 0" in capsys.readouterr().err
    assert export(*argv, 1, "--out", "none.pb") == 2 and "ends in .npz" in capsys.readouterr().err
