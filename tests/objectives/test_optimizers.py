"""What the optimizers do to weights, against updates worked in NumPy."""

import keras
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.accuracy import PixelAccuracy
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer, optimizers
from segnet_hpu.objectives.schedules import make_schedule
from segnet_hpu.runtime.keras_internals import scale_rate, use_anew

rng = np.random.default_rng(3)
IMAGES = rng.normal(size=(4, 6, 6, 3)).astype("float32")
LABELS = rng.integers(0, 3, (4, 6, 6)).astype("uint8")
LABELS[0, :4] = 255
GRADIENTS = [np.array([3.0, 0.0], "float32"), np.array([0.0, 8.0], "float32")]


def apply(optimizer, gradients, variables):
    """Give an optimizer gradients that are NumPy arrays: torch's takes its own tensors alone."""
    optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients], variables)


def network():
    """Two convolutions with BatchNormalization; layers are named to mislead a search for 'beta' or 'bias'."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([
        keras.Input((6, 6, 3)),
        keras.layers.Conv2D(4, 3, padding="same", name="beta"),
        keras.layers.BatchNormalization(name="kernel"),
        keras.layers.Conv2D(3, 1, name="bias_gamma", bias_initializer="ones"),
    ])


def trained(optimizer, batch_size):
    # BatchNormalization sees other statistics in other batch sizes: it is left out here.
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Conv2D(4, 3, padding="same"),
                              keras.layers.ReLU(), keras.layers.Conv2D(3, 1)])
    model.compile(optimizer, loss=make_loss("ce_dice"), metrics=[PixelAccuracy()])
    model.fit(IMAGES, LABELS, batch_size=batch_size, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


@pytest.mark.parametrize("name", optimizers.names())
def test_every_name_makes_an_optimizer_that_learns(name):
    optimizer = make_optimizer(name, 0.01, weight_decay=0.01, clipnorm=1.0, accumulate=2, ema=0.9)
    assert type(optimizer).__name__.lower() == name
    variable = keras.Variable(np.ones(2, "float32"))
    for gradient in GRADIENTS:
        apply(optimizer, [gradient], [variable])
    assert np.all(keras.ops.convert_to_numpy(variable) < 1)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def test_weight_decay_is_decoupled_and_spares_bias_and_normalisation():
    model = network()
    before = {v.path: keras.ops.convert_to_numpy(v) for v in model.trainable_variables}
    optimizer = make_optimizer("adam", 0.1, weight_decay=0.5)
    optimizer.apply([keras.ops.zeros_like(v) for v in model.trainable_variables], model.trainable_variables)
    decayed = set()
    for v in model.trainable_variables:
        # Without a gradient Adam itself stands still; the decay multiplies by 1 - 0.1 * 0.5.
        if np.allclose(v, 0.95 * before[v.path], rtol=1e-6) and np.any(before[v.path]):
            decayed.add(v.path)
        else:
            np.testing.assert_array_equal(v, before[v.path])
    assert {path.split("/", 1)[-1] for path in decayed} == {"beta/kernel", "bias_gamma/kernel"}


def test_weight_decay_spares_the_slopes_of_prelu():
    image = keras.Input((4, 4, 3))
    model = keras.Model(image, keras.layers.PReLU(alpha_initializer="ones")(keras.layers.Conv2D(2, 1)(image)))
    optimizer = make_optimizer("sgd", 0.1, weight_decay=0.5, momentum=0.0)
    optimizer.apply([keras.ops.zeros_like(v) for v in model.trainable_variables], model.trainable_variables)
    alpha, = (v for v in model.trainable_variables if v.name == "alpha")
    assert np.all(keras.ops.convert_to_numpy(alpha) == 1)


@pytest.mark.parametrize("name", optimizers.names())
def test_a_scaled_rate_is_another_optimizers_rate(name):
    """One optimizer with 10 times the rate for the second of two variables, against one optimizer for each."""
    gradients = np.random.default_rng(4).normal(0, 3, (9, 2, 3, 2)).astype("float32")

    def weights():
        return keras.Variable(np.arange(1, 7, dtype="float32").reshape(3, 2) / 7, name="kernel")

    def optimizer(rate):
        return make_optimizer(name, make_schedule("poly", rate, 12, 3), weight_decay=0.05, accumulate=3, ema=0.8)

    together, (slow, fast) = optimizer(0.01), (weights(), weights())
    scale_rate(together, [fast], 10)
    apart = [(optimizer(rate), weights()) for rate in (0.01, 0.1)]
    for pair in gradients:
        apply(together, list(pair), [slow, fast])
        for gradient, (one, variable) in zip(pair, apart, strict=True):
            apply(one, [gradient], [variable])
    for i, (variable, (one, other)) in enumerate(zip((slow, fast), apart, strict=True)):
        np.testing.assert_allclose(variable, other, rtol=1e-6)
        np.testing.assert_allclose(together._model_variables_moving_average[i],
                                   one._model_variables_moving_average[0], rtol=1e-6)
    assert np.abs(np.array(fast) - np.array(slow)).max() > 1e-4


def test_a_scaled_rate_under_loss_scaling():
    slow, fast = (keras.Variable(np.zeros(2, "float32")) for _ in range(2))
    inner = make_optimizer("sgd", 0.5, momentum=0.0)
    scale_rate(inner, [fast], 4)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=8.0)
    optimizer.build([slow, fast])
    apply(optimizer, [8 * GRADIENTS[0], 8 * GRADIENTS[1]], [slow, fast])
    np.testing.assert_array_equal(slow, -0.5 * GRADIENTS[0])
    np.testing.assert_array_equal(fast, -2.0 * GRADIENTS[1])
    apply(optimizer, [GRADIENTS[0] * np.inf, GRADIENTS[1]], [slow, fast])  # an overflow changes nothing
    np.testing.assert_array_equal(fast, -2.0 * GRADIENTS[1])


def test_accumulated_batches_update_like_one_batch():
    for options in ({}, {"clipnorm": 0.05}, {"weight_decay": 0.1}):
        whole = trained(make_optimizer("sgd", 0.1, **options), 4)
        parts = trained(make_optimizer("sgd", 0.1, accumulate=4, **options), 1)
        for a, b in zip(whole, parts, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_clipping_acts_on_the_accumulated_average():
    """The average of (3, 0) and (0, 8) is (1.5, 4), of norm sqrt(18.25); clipped apart: (0.5, 0.5)."""
    variable = keras.Variable(np.zeros(2, "float32"))
    optimizer = make_optimizer("sgd", 1.0, clipnorm=1.0, accumulate=2, momentum=0.0)
    apply(optimizer, [GRADIENTS[0]], [variable])
    assert not np.any(variable)
    apply(optimizer, [GRADIENTS[1]], [variable])
    np.testing.assert_allclose(variable, -np.array([1.5, 4]) / np.sqrt(18.25), rtol=1e-6)


def test_clipping_takes_the_norm_of_all_variables():
    variables = [keras.Variable(np.zeros(2, "float32")) for _ in GRADIENTS]
    apply(make_optimizer("sgd", 1.0, clipnorm=2.0), GRADIENTS, variables)
    for variable, gradient in zip(variables, GRADIENTS, strict=True):
        np.testing.assert_allclose(variable, -2 * gradient / np.sqrt(73), rtol=1e-6)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_moving_average_counts_updates(accumulate):
    """Weights go 1, 2, 3 by updates: the average before the fourth update, whatever the accumulation."""
    variable = keras.Variable(np.zeros(1, "float32"))
    optimizer = make_optimizer("sgd", 1.0, accumulate=accumulate, ema=0.8, momentum=0.0)
    # Three updates, and the batches up to the fourth, which leave the weights alone.
    for _ in range(accumulate * 4 - 1):
        apply(optimizer, [np.full(1, -1.0, "float32")], [variable])
    average = float(optimizer._model_variables_moving_average[0][0])
    assert float(variable[0]) == 3
    assert average == pytest.approx(0.8 * (0.8 * 1 + 0.2 * 2) + 0.2 * 3, rel=1e-5)


def test_schedule_counts_batches_also_when_accumulating():
    """The third and fourth of four batches make the second update, at the fourth batch's rate."""
    variable = keras.Variable(np.zeros(1, "float32"))
    optimizer = make_optimizer("sgd", make_schedule("poly", 1.0, 4, power=1.0), accumulate=2, momentum=0.0)
    for _ in range(4):
        apply(optimizer, [np.full(1, -1.0, "float32")], [variable])
    assert float(variable[0]) == pytest.approx(0.75 + 0.25)


@pytest.mark.parametrize(("name", "options", "words"), [
    ("adamm", {}, "Did you mean adam"),
    ("optimizer", {}, "unknown optimizer 'optimizer'"),
    ("adam", {"weight_decay": -1}, "weight_decay is -1"),
    ("adam", {"clipnorm": 0}, "clipnorm is 0"),
    ("adam", {"accumulate": 0}, "accumulate is 0"),
    ("adam", {"ema": 1.0}, "ema is 1.0"),
    ("sgd", {"momentum": 1.5}, "momentum is 1.5"),
])
def test_wrong_options_are_refused(name, options, words):
    with pytest.raises(UsageError, match=words):
        make_optimizer(name, 0.1, **options)


def test_compiled_model_is_saved_and_restored(tmp_path):
    model = network()
    model.compile(make_optimizer("adamw", make_schedule("cosine", 0.1, 8, 2), weight_decay=0.01, ema=0.9),
                  loss=make_loss("weighted_ce", class_weights=[1, 2, 3]), metrics=[PixelAccuracy(7)])
    model.fit(IMAGES, LABELS, batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.loss.get_config() == model.loss.get_config()
    assert again.evaluate(IMAGES, LABELS, verbose=0) == model.evaluate(IMAGES, LABELS, verbose=0)
    assert float(again.optimizer.learning_rate) == float(model.optimizer.learning_rate) > 0
    for a, b in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_rate_is_scaled_once_in_an_optimizer_that_trains_again(wrapped):
    variable, inner = keras.Variable(np.ones(3, "float32")), keras.optimizers.SGD(0.01)
    optimizer = keras.optimizers.LossScaleOptimizer(inner, initial_scale=1) if wrapped else inner
    for _ in range(2):
        assert use_anew(optimizer, [variable])
        scale_rate(optimizer, [variable], 10)
        optimizer.build([variable])
        before = keras.ops.convert_to_numpy(variable).copy()
        optimizer.apply([keras.ops.ones(3)], [variable])
        np.testing.assert_allclose(before - keras.ops.convert_to_numpy(variable), 0.1, rtol=1e-5)
    assert not use_anew(optimizer, [keras.Variable(np.ones(3, "float32"))])
