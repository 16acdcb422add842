"""What layers are for stays with them: renamed, saved, resized, in networks of a user's own."""

import random

import keras
import numpy as np
import pytest
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.export.network import twin
from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoder_stages import decoder_variables, divisor_of, freeze_stages, normaliser
from segnet_hpu.models.resizing import resized_model, scaled_size
from segnet_hpu.models.roles import mark, mark_stages, roles
from segnet_hpu.models.trained_model import TrainedModel


def renamed(model):
    """The model by another name, none of its layers called as it was."""
    for i, layer in enumerate(model.layers):
        layer.name = f"layer{i}"
    return keras.Model(model.input, model.output, name="of_a_user")


def trainable(model):
    return [v.trainable for v in model.weights]


def decoder(model):
    """The places of the decoder's variables among all that are trained."""
    chosen = {id(v) for v in decoder_variables(model)}
    return [id(v) in chosen for v in model.trainable_variables]


def test_names_mean_nothing(tmp_path):
    size, other = (64, 64), (96, 128)
    model = build_model("mobilenet_v2_deeplabv3plus", 3, *size)
    expected = decoder(model), divisor_of(model), scaled_size(model, 1.6)
    image = np.random.default_rng(0).uniform(0, 255, (1, *other, 3)).astype(np.float32)
    logits = np.asarray(resized_model(model, other)(image))
    TrainedModel(renamed(model)).save(tmp_path / "renamed.keras")
    loaded = load(tmp_path / "renamed.keras").network
    assert (decoder(loaded), divisor_of(loaded), scaled_size(loaded, 1.6)) == expected
    assert normaliser(loaded).scale == pytest.approx(1 / 127.5)
    np.testing.assert_array_equal(resized_model(loaded, other)(image), logits)
    assert roles(resized_model(loaded, other)) == roles(loaded)
    freeze_stages(model, 2)
    freeze_stages(loaded, 2)
    assert trainable(loaded) == trainable(model) and any(trainable(model)) and not all(trainable(model)[:9])


def own(marked, window=2):
    """A network of a user's own: two stages, of which the second pools as DenseNet does, and a classifier."""
    image = keras.Input((24, 24, 3))
    first = layers.Conv2D(4, 3, padding="same", name="a")(image)
    second = layers.Conv2D(4, 3, padding="same", name="b")(layers.AveragePooling2D(window)(first))
    if marked:
        mark_stages([first, second])
    return keras.Model(image, layers.Conv2D(2, 1, name="c")(second), name="own")


def test_a_network_of_a_users_own_says_its_stages():
    model = own(marked=True)
    assert [v.path for v in decoder_variables(model)] == ["c/kernel", "c/bias"]
    freeze_stages(model, 1)
    assert [layer.name for layer in model.layers if layer.weights and layer.trainable] == ["b", "c"]
    with pytest.raises(UsageError, match="--freeze_stages is 3; the encoder of own has 2"):
        freeze_stages(model, 3)


def test_what_was_frozen_before_trains_again_but_for_a_users_own():
    model = own(marked=True)
    model.get_layer("b").trainable = False
    freeze_stages(model, 2)
    assert [layer.name for layer in model.layers if layer.weights and layer.trainable] == ["c"]
    freeze_stages(model, 0)
    assert [layer.name for layer in model.layers if layer.weights and layer.trainable] == ["a", "c"]


def test_what_is_missing_is_said():
    for flag, use in (("--freeze_stages", lambda m: freeze_stages(m, 1)), ("--decoder_rate", decoder_variables)):
        with pytest.raises(UsageError, match=f"{flag}: own is no .* does not say .*mark_stages"):
            use(own(marked=False))


def test_windows_of_one_size_take_pictures_of_any():
    assert twin(own(marked=False), free_size=True).output_shape == (None, None, None, 2)


def test_windows_that_are_parts_of_a_map():
    image = keras.Input((24, 24, 3))
    pooled = mark(layers.AveragePooling2D(12, name="halves"), fraction=2)(image)
    model = keras.Model(image, layers.Conv2D(2, 1)(pooled), name="own")
    with pytest.raises(UsageError, match="--free_size: own takes 24x24 only, because its layer halves"):
        twin(model, free_size=True)
    assert resized_model(model, (56, 40)).output_shape == (None, 2, 2, 2)


def test_a_file_without_roles_gets_those_of_its_network(tmp_path):
    model = build_model("vanilla_segnet", 3, 64, 64, level=4)
    model.save(tmp_path / "plain.keras")
    loaded = keras.saving.load_model(tmp_path / "plain.keras", compile=False)
    assert not roles(loaded)
    state = random.getstate()
    assert decoder(loaded) == decoder(model) and divisor_of(loaded) == divisor_of(model) == 32
    assert random.getstate() == state
