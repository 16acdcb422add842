"""The settings of loss, rate and groups, as they reach the compiled model."""

import keras
import numpy as np
import pytest

from runs import plain, with_encoder
from segnet_hpu import config
from segnet_hpu.errors import UsageError
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoder_stages import decoder_variables
from segnet_hpu.runtime.ranks import ALONE, Alone
from segnet_hpu.training.model_setup import compile_model
from segnet_hpu.training.settings import Settings

STEPS = 10  # an epoch


def compiled(model, weights=None, xla=False, ranks=ALONE, **values):
    settings = config.from_values(Settings, model_name="vgg_segnet", n_classes=3, train_images="a",
                                  train_annotations="b", epochs=8, learning_rate=0.2, **values)
    compile_model(model, settings, weights, STEPS, xla, ranks)
    return model


class Meeting(Alone):
    """Ranks that meet as Horovod's do."""

    xla = False


def test_xla_compiles_no_graph_in_which_ranks_meet():
    assert compiled(plain(), xla=True).jit_compile is True
    assert compiled(plain(), xla="auto", ranks=Meeting()).jit_compile is False


@pytest.mark.parametrize("settings,rates", [
    (dict(lr_schedule="poly", poly_power=2.0, final_rate=0.25), {0: 0.2, 40: 0.05 + 0.15 / 4, 80: 0.05}),
    (dict(lr_schedule="step", step_every=2.5, step_gamma=0.5), {24: 0.2, 25: 0.1, 49: 0.1, 50: 0.05}),
    (dict(lr_schedule="step", step_at=[0.25]), {19: 0.2, 20: 0.02, 79: 0.02}),
    (dict(lr_schedule="cosine", final_rate=0.5, warmup_epochs=1.0), {4: 0.1 * 10 / 11, 10: 0.2, 45: 0.15, 80: 0.1}),
])
def test_rates(settings, rates):
    optimizer = compiled(plain(), **settings).optimizer
    for step, rate in rates.items():
        optimizer._iterations.assign(step)
        assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-5), step


@pytest.mark.parametrize("settings,expected", [
    (dict(loss="dice", loss_smooth=3.0, dice_squared=True), dict(smooth=3.0, squared=True)),
    (dict(loss="ohem", ohem_threshold=0.5, ohem_keep=0.25), dict(threshold=0.5, keep=0.25, class_weights=[1, 2, 3])),
    (dict(loss="focal", focal_gamma=1.0), dict(gamma=1.0, class_weights=[1, 2, 3])),
    (dict(loss="ce", label_smoothing=0.1), dict(label_smoothing=0.1, class_weights=[1, 2, 3])),
    (dict(loss="lovasz"), {}),
])
def test_options_of_losses(settings, expected):
    options = compiled(plain(), expected.get("class_weights"), **settings).loss.get_config()
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize("name,size,is_decoder", [
    ("vgg_segnet", (32, 32), lambda layer: not layer.startswith("block")),
    ("segnet_basic", (24, 24), lambda layer: layer.startswith(("conv_decode", "conv_classifier"))),
    ("pspnet_50", (89, 89), lambda layer: layer.startswith(("conv5_3_pool", "conv5_4", "conv6"))),
])
def test_what_is_no_encoder(name, size, is_decoder):
    model = build_model(name, 3, *size)
    expected = [v.path for layer in model.layers if is_decoder(layer.name) for v in layer.trainable_variables]
    assert [v.path for v in decoder_variables(model)] == expected
    assert 0 < len(expected) < len(model.trainable_variables)


def test_the_decoder_learns_faster():
    """SGD: every variable's move is its rate times the gradient, that of the encoder's group 7 times less."""
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3)).astype("float32")
    labels = np.random.default_rng(1).integers(0, 3, (2, 16, 24)).astype("uint8")
    moves = []
    for rate in (1.0, 7.0):
        keras.utils.set_random_seed(0)
        model = compiled(with_encoder(), optimizer_name="sgd", decoder_rate=rate)
        before = model.get_weights()
        model.train_on_batch(images, labels)
        moves.append([new - old for new, old in zip(model.get_weights(), before, strict=True)])
    for variable, usual, scaled in zip(model.weights, *moves, strict=True):
        factor = 7.0 if variable.trainable and not variable.path.startswith("block") else 1.0
        np.testing.assert_allclose(scaled, factor * usual, rtol=1e-3, atol=1e-6, err_msg=variable.path)
    with pytest.raises(UsageError, match="--decoder_rate: plain is no network of ours"):
        compiled(plain(), decoder_rate=10.0)
