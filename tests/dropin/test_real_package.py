"""Against keras_segmentation itself, where SEGNET_KERAS_SEGMENTATION names a Python that has it."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest

from segnet_hpu.data_utils.data_loader import get_image_array
from segnet_hpu.predict import model_from_checkpoint_path, predict
from toy import write_toy

ROOT = Path(__file__).resolve().parents[2]
NAMES = {"segnet": (32, 64), "vgg_unet": (32, 32), "resnet50_segnet": (224, 224), "mobilenet_unet": (224, 224)}


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """run(script, *args) in keras_segmentation's environment -> what it printed last; and the toy data."""
    python = os.environ.get("SEGNET_KERAS_SEGMENTATION")
    if not python:
        pytest.skip("SEGNET_KERAS_SEGMENTATION does not name a Python made by "
                    "benchmarks/setup_keras_segmentation.sh")
    folder = tmp_path_factory.mktemp("theirs")
    images, labels = write_toy(folder / "toy", 3, size=(40, 60))

    def run(script, *args):
        environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run([python, ROOT / "benchmarks" / script, *map(str, args)], text=True,
                              capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip().splitlines()[-1]
    return run, folder, images, labels


def test_data_loader_is_equal_to_the_bit(package):
    run, _, images, labels = package
    equal = json.loads(run("compare_data_loader.py", images, labels, 3))
    assert len(equal) == 13 and all(equal.values()), equal


@pytest.fixture(scope="module")
def checkpoints(package):
    run, folder, images, labels = package
    run("keras_segmentation_models.py", "checkpoint", folder, images, labels,
        *(f"{name}:{height}:{width}" for name, (height, width) in NAMES.items()))
    return folder


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [".", "h5"])
def test_a_checkpoint_answers_as_there(checkpoints, kind, name):
    answers = dict(np.load(checkpoints / f"{name}.npz"))
    prefix = checkpoints / kind / name
    model = model_from_checkpoint_path(prefix)
    assert model.name == name and (model.input_height, model.input_width) == NAMES[name]
    for i in range(3):
        path = checkpoints / "toy/images" / f"{i}.png"
        classes = model.predict_segmentation(path)
        theirs = answers[f"{i}.png"]
        assert classes.shape == theirs.shape and len(np.unique(theirs)) > 1
        array = get_image_array(path, model.input_width, model.input_height, ordering="channels_last")
        softmax, = model.predict(np.array([array]), verbose=0)
        np.testing.assert_allclose(softmax, answers[f"{i}.png:softmax"], atol=1e-4)
        assert (classes == theirs).mean() > 0.9999
    keras.utils.clear_session()


def test_by_the_weights_name_and_from_the_command_line(checkpoints, cli, tmp_path):
    folder = tmp_path / "moved"
    folder.mkdir()
    for file in checkpoints.glob("segnet*"):
        shutil.copy(file, folder)
    image = checkpoints / "toy/images/0.png"
    expected = predict(inp=image, checkpoints_path=folder / "segnet.0")
    np.testing.assert_array_equal(expected, dict(np.load(folder / "segnet.npz"))["0.png"])
    done = cli("predict", "--checkpoints_path", folder / "segnet", "--input_path", image,
               "--output_path", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.png").exists()
