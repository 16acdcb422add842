"""A network that answers NaN or infinity, of sound weights too, has no class to give; nothing is written."""

import keras
import numpy as np
import pytest
from odd import build, write_pictures

from segnet_hpu.cli import main
from segnet_hpu.models.trained_model import TrainedModel


def broken():
    """The small network with dropout, of which one class's scores are NaN."""
    model = build()
    nan = keras.layers.Rescaling([1.0, np.nan, 1.0, 1.0])(model.output)
    return keras.Model(model.input, keras.layers.Dropout(0.5)(nan), name="odd")


@pytest.fixture
def broken_file(tmp_path):
    TrainedModel(broken(), class_names=("a", "b", "c", "d")).save(tmp_path / "odd.keras")
    write_pictures(tmp_path)
    return tmp_path / "odd.keras"


@pytest.mark.parametrize("flags", [[], ["--tta", "flip"], ["--tile"], ["--mc_samples", "2"]], ids=" ".join)
def test_predict_refuses_it(tmp_path, broken_file, capsys, flags):
    assert main(["predict", "--checkpoints_path", str(broken_file), "--input_path", str(tmp_path / "images"),
                 "--output_path", str(tmp_path / "out"), *flags]) == 1
    line, = capsys.readouterr().err.splitlines()
    assert "odd answers NaN in place of scores" in line and "take an earlier checkpoint" in line
    assert not list(tmp_path.glob("out/*"))


def test_evaluate_model_refuses_it(tmp_path, broken_file, capsys):
    assert main(["evaluate_model", "--checkpoints_path", str(broken_file), "--images_path", str(tmp_path / "images"),
                 "--segs_path", str(tmp_path / "labels"), "--json", str(tmp_path / "scores.json")]) == 1
    captured = capsys.readouterr()
    line, = captured.err.splitlines()
    assert "odd answers NaN in place of scores" in line and not captured.out
    assert not (tmp_path / "scores.json").exists()


@pytest.mark.parametrize("command,out", [
    ("predict --input_path images --output_path out", "out"),
    ("evaluate_model --images_path images --segs_path labels --json out", "out"),
    ("export --format keras --out out.keras", "out.keras")])
def test_finite_weights_that_overflow_are_named(tmp_path, monkeypatch, capsys, command, out):
    monkeypatch.chdir(tmp_path)
    model = build()
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    for layer in (convolutions[0], convolutions[-1]):
        layer.kernel.assign(np.abs(layer.kernel) * 0 + 1e30)
    TrainedModel(model).save("odd.keras")
    write_pictures(tmp_path)
    assert main([*command.split(), "--checkpoints_path", "odd.keras"]) == 1
    line, = capsys.readouterr().err.splitlines()
    assert "odd answers infinity in place of scores" in line and "(the largest weight is 1e+30, in conv2d" in line
    assert not list(tmp_path.glob(f"{out}/*" if command.startswith("predict") else out))
