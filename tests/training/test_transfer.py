"""--init_from: another network's weights, as far as they fit."""

import re

import keras
import numpy as np
import pytest

from runs import flags, newest
from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.transfer import transfer_weights
from segnet_hpu.models.build import build_model
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
    x = keras.layers.Conv2D(64, 3, padding="same", name="block1_conv1")(image)
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


def test_it_does_not_go_with_load_weights(data, five, capsys, tmp_path):
    path, _ = five
    argv = flags(**data | dict(model_dir=tmp_path / "run"), init_from=path, load_weights=path)
    assert main(["train", *argv]) == 2
    assert "--load_weights and --init_from both say what to start from" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
