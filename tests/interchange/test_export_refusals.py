"""`segnet-hpu export`: wrong calls in one line, before TensorFlow is imported, and nothing written."""

import subprocess
import sys
from pathlib import Path

import pytest

from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.export.formats import make_format

ROOT = Path(__file__).resolve().parents[2]
EXPORT = "export --checkpoints_path model.keras --format frozen_pb --out net.pb "


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.keras").write_bytes(b"")
    (tmp_path / "there.pb").write_bytes(b"of days")
    (tmp_path / "pictures").mkdir()
    return tmp_path


@pytest.mark.parametrize("flags,words", [
    ("--format pb", ["--format is 'pb'", "onnx, openvino, saved_model, tflite"]),
    ("--format json:dumps", ["--format json:dumps is a function", "a class derived from FileFormat"]),
    ("--format.opset 3", ["frozen_pb takes no opset"]),
    ("--argmax --output softmax", ["--argmax and --output softmax contradict"]),
    ("--output class", ["--output is 'class'", "Did you mean classes?"]),
    ("--out net.tflite", ["--out net.tflite", "ends in .pb for --format frozen_pb"]),
    ("--format saved_model", ["--out net.pb", "makes a folder", "without .pb"]),
    ("--format saved_model --out model.keras", ["--out model.keras", "no folder"]),
    ("--format saved_model --out . --overwrite", ["--out . holds something else than a SavedModel"]),
    ("--out there.pb", ["there.pb exists", "--overwrite"]),
    ("--out there.pb/net.pb", ["--out there.pb/net.pb", "no folder"]),
    ("--format tflite_int8 --out net.tflite", ["tflite_int8 is calibrated", "--calibration_images"]),
    ("--calibration_images pictures", ["--calibration_images is for --format tflite_int8, not frozen_pb"]),
    ("--format tflite_int8 --out n.tflite --calibration_images pictures --free_size", ["--free_size", "one size"]),
    ("--format tflite_int8 --out n.tflite --calibration_images pictures", ["pictures holds no such file"]),
    ("--verify_images pictures", ["--verify_images is given without --verify"]),
    ("--verify --verify_images pictures", ["pictures holds no such file"]),
    ("--checkpoints_path none", ["no checkpoint at none"]),
])
def test_refusals(place, capsys, flags, words):
    before = sorted(place.rglob("*"))
    assert main((EXPORT + flags).split()) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and [word for word in words if word not in err] == [], err
    assert sorted(place.rglob("*")) == before


def test_missing_packages_are_named_with_the_command(place, capsys, monkeypatch):
    for name in ("tf2onnx", "onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: sys.modules.get(name))
    assert main((EXPORT + "--format onnx --out net.onnx --verify").split()) == 2
    err = capsys.readouterr().err
    assert "needs tf2onnx and onnx and onnxruntime" in err and "pip install 'segnet_hpu[export]'" in err


def test_refusals_import_no_tensorflow():
    code = ("import sys; from segnet_hpu.cli import main; status = main(sys.argv[1:]); "
            "sys.exit(9 if 'tensorflow' in sys.modules or 'keras' in sys.modules else status)")
    argv = (EXPORT + "--checkpoints_path none").split()
    assert subprocess.run([sys.executable, "-c", code, *argv], cwd=ROOT, capture_output=True).returncode == 2


@pytest.mark.parametrize("name,layer", [("segnet_basic", "MaxPoolingWithMask"),
                                        ("vanilla_deeplabv3plus", "aspp_image_up")])
def test_networks_made_for_one_size_say_so(place, capsys, name, layer):
    from segnet_hpu.models.build import build_model
    from segnet_hpu.models.trained_model import TrainedModel

    TrainedModel(build_model(name, 3, 32, 32)).save(place / "bound.keras")
    assert main((EXPORT + "--checkpoints_path bound.keras --free_size").split()) == 2
    err = capsys.readouterr().err
    assert f"--free_size: {name} takes 32x32 only" in err and layer in err and not (place / "net.pb").exists()


def test_an_option_of_no_format_names_what_is_missing(place, capsys):
    assert main(["export", "--checkpoints_path", "model.keras", "--out", "net.pb", "--format.opset", "3"]) == 2
    assert "export needs --format" in capsys.readouterr().err


@pytest.mark.parametrize("backend, installed, words", [
    ("torch", ["torch"], ["by tensorflow, not installed", "with torch expected --format keras, onnx, openvino"]),
    ("torch", ["torch", "tensorflow"], ["not written by torch; add --backend tensorflow"]),
    ("jax", ["jax"], ["with jax expected --format keras."])])
def test_a_format_of_another_backend(monkeypatch, backend, installed, words):
    monkeypatch.setattr("segnet_hpu.interchange.export.formats.base.installed", lambda: installed)
    monkeypatch.setenv("KERAS_BACKEND", backend)
    for name in ("saved_model", "frozen_pb", "tflite"):
        with pytest.raises(UsageError) as refused:
            make_format(name).refuse_missing_packages()
        assert f"--format {name}" in str(refused.value) and all(word in str(refused.value) for word in words)
    make_format("keras").refuse_missing_packages()
