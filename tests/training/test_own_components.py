"""Components of the user's own, as Python objects and as MODULE:NAME, in real trainings."""

import functools
from typing import Annotated

import keras
import numpy as np
import pytest

from runs import plain
from segnet_hpu.components import Choice, Option
from segnet_hpu.data.datasets import DataSet, Split
from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.losses.dice import Dice
from segnet_hpu.train import train


@pytest.fixture
def weights_after(data, tmp_path, monkeypatch):
    """weights_after(**settings): of a network after three steps; config.yaml lies in run/."""
    monkeypatch.chdir(tmp_path)

    def run(**settings):
        keras.utils.set_random_seed(3)
        model = plain()
        names = {"model_name", "model_dir", "encoder_weights"}
        given = {name: value for name, value in data.items() if name not in names} | {"validate": False}
        history = train(model, **given | dict(epochs=1, steps_per_epoch=3, batch_size=3, model_dir="run",
                                              val_pictures=0) | settings)
        (tmp_path / "run").rename(tmp_path / f"run{len(list(tmp_path.iterdir()))}")
        return model.get_weights(), history.history

    return run


def assert_equal(ours, theirs):
    for one, other in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_object_trains_as_its_name_does(weights_after):
    named = weights_after(loss="dice", loss_smooth=2, optimizer_name="sgd", learning_rate=0.1)
    assert_equal(named, weights_after(loss={"name": "dice", "smooth": 2}, optimizer_name=keras.optimizers.SGD(
        0.1, momentum=0.9)))
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 3, 0.1)
    dice = Dice(smooth=2.0)
    assert_equal(named, weights_after(loss=dice, optimizer_name={"name": "sgd"}, lr_schedule=schedule))
    assert_equal(named, weights_after(loss=lambda labels, logits: dice.call(labels, logits), optimizer_name="sgd",
                                      learning_rate=0.1))


def test_an_optimizer_of_ones_own_gets_what_it_passes_on(weights_after):
    settings = dict(learning_rate=0.1, weight_decay=0.1, clipnorm=0.1, accumulate=2)
    named = weights_after(optimizer_name="sgd", **settings)

    def momentum(learning_rate, **options):
        return keras.optimizers.SGD(learning_rate, 0.9, **options)

    assert_equal(named, weights_after(optimizer_name=momentum, **settings))


class Seen:
    """Counts the images that it is shown."""

    def __init__(self, n_classes):
        self.counts = np.zeros(n_classes, np.int64)

    def update(self, truth, classes, probability):
        self.counts[0] += 1

    def scores(self):
        return {"seen": int(self.counts[0])}


def test_a_score_and_a_transform_and_a_data_set(weights_after, data):
    changed = []

    def black(image, mask):
        changed.append(mask.shape)
        return image * 0, mask

    dataset = DataSet("mine", ("a", "b", "c"), None, {
        "train": Split(str(data["train_images"]), str(data["train_annotations"])),
        "val": Split(str(data["val_images"]), str(data["val_annotations"]))}, root="/")
    folders = dict.fromkeys(("train_images", "train_annotations", "val_images", "val_annotations"))
    _, history = weights_after(**folders, dataset=dataset, validate=True, val_metrics=["boundary", Seen],
                               do_augment=True, augmentation_name=black, monitor="val_seen")
    assert history["val_seen"] == [3] and history["val_boundary_f1"] and len(changed) >= 9


def test_scores_of_one_function_name_are_all_kept(weights_after):
    def named(name):
        return lambda n_classes: type("", (Seen,), {"scores": lambda self: {name: int(self.counts[0])}})(n_classes)

    _, history = weights_after(validate=True, val_metrics=[named("one"), named("two"), Seen, Seen])
    assert history["val_one"] == history["val_two"] == history["val_seen"] == [3]


def test_what_is_not_written_is_named(weights_after, tmp_path):
    weights_after(loss=lambda labels, logits: keras.ops.mean(logits), optimizer_name="keras.optimizers:Lion")
    text = next(tmp_path.glob("run*/config.yaml")).read_text()
    assert "# loss was a Python object, which cannot be written here: give it again." in text
    assert "# model_name was a Python object, " in text and "\nmodel_name: the Python object " in text
    assert "\nloss: the Python object <lambda>\n" in text and "\noptimizer_name: keras.optimizers:Lion\n" in text


@pytest.mark.parametrize("settings, words", [
    (dict(optimizer_name=keras.optimizers.SGD(0.1), clipnorm=1), "clipnorm does not go with optimizer_name SGD"),
    (dict(lr_schedule=keras.optimizers.schedules.CosineDecay(0.1, 3), learning_rate=0.1),
     "learning_rate does not go with lr_schedule CosineDecay"),
    (dict(optimizer_name=lambda learning_rate: keras.optimizers.SGD(learning_rate), clipnorm=1),
     "clipnorm does not go with optimizer_name <lambda>, which has no parameter global_clipnorm to pass on; add it"),
    (dict(optimizer_name=lambda learning_rate, weight_decay=None, ema_momentum=0.9: None, weight_decay=0.1, ema=0.5),
     "ema does not go with optimizer_name <lambda>, which has no parameter use_ema to pass on"),
    (dict(optimizer_name=lambda: keras.optimizers.SGD(0.1), lr_schedule="poly"), "lr_schedule does not go with"),
    (dict(lr_schedule=lambda steps: 0.1, learning_rate=0.1), "learning_rate does not go with lr_schedule <lambda>"),
    (dict(optimizer_name=3), "optimizer_name is 3; expected one of adam"),
    (dict(optimizer_name=keras.losses.Dice()), "optimizer_name.* a Keras optimizer"),
    (dict(optimizer_name=keras.losses.Dice), "optimizer_name Dice: .*; expected a Keras optimizer"),
    (dict(lr_schedule=lambda s: 0.1), "lr_schedule <lambda>: TypeError: .*; expected a Keras LearningRateSchedule"),
    (dict(lr_schedule=lambda steps: 0.1), "lr_schedule <lambda>: TypeError: 0.1 is no schedule; expected a Keras"),
    (dict(loss=lambda labels: 0.), "loss <lambda>: TypeError: .*; expected a function .labels, logits."),
    (dict(loss=lambda labels, logits: None), "loss <lambda>: .*; expected a function .labels, logits."),
    (dict(callbacks=[5]), "callbacks has 5; expected objects of keras.callbacks.Callback"),
    (dict(validate=True, val_metrics=["keras.losses:dice"]),
     "score keras.losses:dice: TypeError: .*expected a class"),
    (dict(validate=True, val_metrics=[lambda n_classes: 5]), "score <lambda>: .*int that it made has no update"),
    (dict(validate=True, val_metrics=[Seen, lambda n_classes: Seen(n_classes)]),
     "score <lambda>: its seen is a number of Seen too"),
    (dict(validate=True, val_metrics=["road", {"name": "road", "positive_class": "1"}]),
     "val_metrics has road twice, with other options"),
    (dict(loss="keras.losses:Nothing"), "loss keras.losses:Nothing: .*expected MODULE:NAME"),
])
def test_refusals(weights_after, settings, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        weights_after(**settings)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("function, words", [
    (lambda image, mask: image, "it returned a ndarray"), (lambda image: image, "TypeError"),
    (lambda image, mask: (image / 255, mask), "it returned float64"),
    (lambda image, mask: (image, mask[1:]), "a mask"),
])
def test_an_augmentation_that_is_none(weights_after, function, words, tmp_path):
    with pytest.raises(UsageError, match=f"augmentation <lambda>: .*{words}.*; expected a function .image, mask."):
        weights_after(do_augment=True, augmentation_name=function)
    assert not list(tmp_path.iterdir())


def test_an_augmentation_that_draws_from_the_runs_own_chance_can_be_repeated(weights_after):
    def shade(image, mask, rng):
        return (image * rng.uniform(0.2, 1)).astype(np.uint8), mask
    one, other = (weights_after(do_augment=True, augmentation_name=shade, loader_threads=n) for n in (1, 4))
    assert_equal(one, other)
    assert any((a != b).any() for a, b in zip(one[0], weights_after()[0], strict=True))


@pytest.mark.parametrize("own", [
    "keras.losses:SparseCategoricalCrossentropy", keras.losses.SparseCategoricalCrossentropy,
    "keras.losses:sparse_categorical_crossentropy",
    keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)])
def test_keras_losses_are_of_logits(own):
    labels = np.array([[[0, 1], [2, 2]]])
    logits = np.random.default_rng(0).normal(0, 3, (1, 2, 2, 3)).astype(np.float32)
    np.testing.assert_allclose(make_loss(own).call(labels, logits), make_loss("ce").call(labels, logits), rtol=1e-5)


def test_a_class_of_keras_leaves_void_out():
    logits = np.ones((1, 2, 2, 3), np.float32)
    values = make_loss(keras.losses.SparseCategoricalCrossentropy).call(np.full((1, 2, 2), 255), logits)
    np.testing.assert_array_equal(values, [0])


def powered(labels, logits, *, power: Annotated[float, Option("of the loss", minimum=0)] = 1.0, from_logits=False):
    assert from_logits
    return make_loss("ce").call(labels, logits) ** power


def test_a_loss_function_has_options():
    labels, logits = np.zeros((1, 2, 2)), np.random.default_rng(0).normal(0, 3, (1, 2, 2, 3)).astype(np.float32)
    plain = np.array(make_loss("ce").call(labels, logits))
    np.testing.assert_allclose(make_loss(powered).call(labels, logits), plain)
    for loss in (make_loss(Choice(powered, {"power": 2.0})), make_loss(powered, power=2),
                 make_loss(functools.partial(powered, power=2))):
        np.testing.assert_allclose(loss.call(labels, logits), plain ** 2, rtol=1e-6)
    with pytest.raises(UsageError, match="power is -1.0; expected a number of at least 0"):
        make_loss(powered, power=-1)


def test_an_augmentation_function_has_options(weights_after):
    def fill(image, mask, rng, *, value: Annotated[int, Option("of all pixels", minimum=0, maximum=255)] = 0):
        return np.full_like(image, value), mask

    assert_equal(*(weights_after(do_augment=True, augmentation_name=name) for name in (
        {"name": fill, "value": 9}, lambda image, mask: (np.full_like(image, 9), mask))))


class OfKeras(keras.losses.Loss):
    def __init__(self, factor=2.0, **options):
        super().__init__(**options)
        self.factor = factor

    def call(self, labels, logits):
        return self.factor * keras.ops.mean(logits, -1)


def test_keywords_that_a_loss_hands_on_are_not_filled():
    np.testing.assert_array_equal(make_loss(OfKeras).call(np.zeros((2, 1, 1)), np.ones((2, 1, 1, 3))), [2, 2])


class Failing:
    def __init__(self):
        raise RuntimeError("boom")

    def __call__(self, first, second):
        return first, second


def test_what_fails_while_it_is_made_is_the_users_own(weights_after):
    for settings in (dict(loss=Failing), dict(do_augment=True, augmentation_name=Failing)):
        with pytest.raises(UsageError, match="Failing: RuntimeError: boom; expected a function"):
            weights_after(**settings)


def test_a_loss_of_probabilities_is_refused():
    with pytest.raises(UsageError, match="SparseCategoricalCrossentropy was made with from_logits=False"):
        make_loss(keras.losses.SparseCategoricalCrossentropy())


def test_an_optimizer_object_that_has_trained_another_network(weights_after):
    optimizer = keras.optimizers.SGD(0.1)
    weights_after(optimizer_name=optimizer)
    with pytest.raises(UsageError, match="SGD: this object has trained another network.*; make a new one"):
        weights_after(optimizer_name=optimizer)
