"""--init_from: another network's weights, as far as they fit."""

import re

import keras
import numpy as np
import pytest

from runs import flags, newest, run
from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.transfer import transfer_weights
from segnet_hpu.models.build import build_model
from segnet_hpu.models.roles import mark
from segnet_hpu.models.trained_model import TrainedModel

ENCODER = [f"block{b}_conv{i}" for b, n in enumerate((2, 2, 3, 3), 1) for i in range(1, n + 1)]


@pytest.fixture(scope="module")
def five(tmp_path_factory):
    """(file, model) of a vgg_segnet of five classes with weights from a seed."""
    keras.utils.set_random_seed(1)
    model = build_model("vgg_segnet", 5, 32, 48)
    path = tmp_path_factory.mktemp("five") / "five.keras"
    TrainedModel(model).save(path)
    return path, model


def equal(one, other, name):
    return all(np.array_equal(a, b) for a, b in zip(one.get_layer(name).get_weights(),
                                                    other.get_layer(name).get_weights(), strict=True))


def names(model):
    return [layer.name for layer in model.layers if layer.weights]


def test_all_but_the_classifier_of_other_classes(five):
    path, source = five
    model = build_model("vgg_segnet", 3, 64, 32)
    before = model.get_layer("classifier").get_weights()
    line = transfer_weights(model, path)
    assert all(equal(model, source, name) for name in names(model) if name != "classifier")
    np.testing.assert_array_equal(model.get_layer("classifier").get_weights()[0], before[0])
    assert line == (f"{path}: took 18 of 19 layers, 11,547,648 of 11,549,379 parameters; left at random: classifier "
                    "(3x3x64x3, the file has 3x3x64x5)")


def test_all_of_it_where_the_classes_agree(five):
    path, source = five
    model = build_model("vgg_segnet", 5, 32, 48)
    assert transfer_weights(model, path).endswith("left at random: none")
    assert all(equal(model, source, name) for name in names(model))


def test_the_encoder_of_a_model_with_another_decoder(five):
    path, source = five
    model = build_model("vgg_segnet", 5, 32, 48)
    features = model.get_layer("block4_pool").output
    other = keras.Model(model.input, keras.layers.Conv2D(5, 1, name="head")(features), name="other")
    assert "took 10 of 11 layers" in transfer_weights(other, path)
    assert all(equal(other, source, name) for name in ENCODER)


def test_a_model_that_has_little_of_it_is_refused_and_stays_as_it_was(five):
    path, _ = five
    image = keras.Input((32, 48, 3))
    x = keras.layers.Conv2D(64, 3, padding="same", activation="relu", name="block1_conv1")(image)
    x = keras.layers.Conv2D(64, 1, name="block1_conv2")(x)
    model = keras.Model(image, keras.layers.Conv2D(3, 1, name="head")(x), name="mine")
    before = model.get_weights()
    with pytest.raises(UsageError, match=re.escape(f"--init_from {path}: only 1 of 3 layers of mine have a "
                                                   "counterpart of their shape in this vgg_segnet; expected")):
        transfer_weights(model, path)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_from_the_command_line(cli, tmp_path, data, five):
    """At a rate of next to nothing the run ends with what it began with."""
    path, source = five
    settings = data | dict(validate=False, epochs=1, batch_size=2, steps_per_epoch=1, init_from=path)
    done = cli("train", *flags(**settings, optimizer_name="sgd", momentum=0, learning_rate=1e-30))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith(f"{path}: took 18 of 19 layers")
    made = keras.saving.load_model(newest(tmp_path / "run"))
    for name in ENCODER:
        kernel = source.get_layer(name).get_weights()[0]
        np.testing.assert_allclose(made.get_layer(name).get_weights()[0], kernel, atol=1e-20)


def normalising(scale=1 / 127.5, offset=-1.0):
    """A small network that says which of its layers normalises."""
    image = keras.Input((32, 48, 3))
    x = mark(keras.layers.Rescaling(scale, offset, name="normalise"), normalises=True)(image)
    x = keras.layers.Conv2D(4, 3, padding="same", name="conv")(x)
    return keras.Model(image, keras.layers.Conv2D(3, 1, dtype="float32", name="head")(x), name="normalising")


def test_a_resumed_run_goes_on_as_its_weights_normalise(tmp_path, data):
    """By its own checkpoints, though the file that they came from is gone."""
    path = tmp_path / "other.keras"
    TrainedModel(normalising(1 / 255, 0.5)).save(path)
    settings = data | dict(validate=False, batch_size=5, steps_per_epoch=1, init_from=path)
    status, out, err = run(tmp_path, *flags(**settings, epochs=1), model=normalising)
    assert status == 0, err
    assert "pictures are normalised as there: pixel * 0.00392157 + (0.5, 0.5, 0.5)" in out
    path.unlink()
    status, out, err = run(tmp_path, *flags(**settings, epochs=2, auto_resume_checkpoint=True), model=normalising)
    assert status == 0, err
    assert f"the weights are those of the run's own checkpoint; --init_from {path} is not read again" in out
    made = keras.saving.load_model(newest(tmp_path / "run"))
    found = made.get_layer("normalise")(np.full((1, 1, 1, 3), 51.0, np.float32))
    np.testing.assert_allclose(np.asarray(found).ravel(), 0.7, rtol=1e-6)


def test_it_does_not_go_with_load_weights(data, five, capsys, tmp_path):
    path, _ = five
    argv = flags(**data | dict(model_dir=tmp_path / "run"), init_from=path, load_weights=path)
    assert main(["train", *argv]) == 2
    assert "--load_weights and --init_from both say what to start from" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
