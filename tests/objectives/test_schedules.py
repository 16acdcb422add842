"""Learning rates at single steps against the formulas, worked by hand."""

import math

import keras
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.schedules import make_schedule

# name, options, warm-up steps of 100, {step: rate} with a highest rate of 0.2
CASES = [
    ("constant", {}, 0, {0: 0.2, 50: 0.2, 99: 0.2}),
    ("constant", {}, 9, {0: 0.02, 4: 0.1, 8: 0.18, 9: 0.2, 99: 0.2}),
    ("poly", {}, 0, {0: 0.2, 50: 0.2 * 0.5**0.9, 99: 0.2 * 0.01**0.9, 100: 0.0, 150: 0.0}),
    ("poly", {"power": 2.0}, 20, {0: 0.2 / 21, 19: 0.2 * 20 / 21, 20: 0.2, 60: 0.05, 99: 0.2 / 80**2}),
    ("poly", {"power": 1.0, "final_fraction": 0.5}, 0, {0: 0.2, 50: 0.15, 100: 0.1}),
    ("cosine", {}, 0, {0: 0.2, 50: 0.1, 99: 0.1 * (1 + math.cos(0.99 * math.pi))}),
    ("cosine", {"final_fraction": 0.1}, 10,
     {10: 0.2, 55: 0.11, 99: 0.02 + 0.09 * (1 + math.cos(math.pi * 89 / 90)), 100: 0.02}),
    ("step", {"step_every": 30}, 0, {0: 0.2, 29: 0.2, 30: 0.02, 59: 0.02, 60: 0.002, 99: 0.0002}),
    ("step", {"step_every": 30, "gamma": 0.5}, 10, {10: 0.2, 39: 0.2, 40: 0.1, 69: 0.1, 70: 0.05}),
    ("step", {}, 0, {0: 0.2, 49: 0.2, 50: 0.02, 74: 0.02, 75: 0.002, 99: 0.002}),
    ("step", {"step_at": [0.9]}, 20, {20: 0.2, 91: 0.2, 92: 0.02, 99: 0.02}),
]


@pytest.mark.parametrize(("name", "options", "warmup", "rates"), CASES)
def test_rates(name, options, warmup, rates):
    schedule = make_schedule(name, 0.2, 100, warmup, **options)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert again.get_config() == schedule.get_config()
    for step, rate in rates.items():
        as_counted = keras.ops.convert_to_tensor(step, "int64")
        assert float(schedule(as_counted)) == pytest.approx(rate, rel=1e-5, abs=1e-8), step
        assert float(again(as_counted)) == float(schedule(as_counted))


def test_last_step_of_a_short_run_still_learns():
    for total in (1, 2, 3):
        assert float(make_schedule("poly", 0.1, total)(total - 1)) > 0
        assert float(make_schedule("step", 0.1, total)(total - 1)) > 0


def test_optimizer_follows_the_schedule():
    """SGD with gradient 1 moves by the rate of each step."""
    variable = keras.Variable(0.0)
    optimizer = keras.optimizers.SGD(make_schedule("poly", 0.5, 4, 1, power=1.0))
    moves = []
    for _ in range(4):
        before = float(variable)
        optimizer.apply([keras.ops.ones(())], [variable])
        moves.append(before - float(variable))
    assert moves == pytest.approx([0.25, 0.5, 0.5 * 2 / 3, 0.5 / 3])


@pytest.mark.parametrize(("args", "options", "words"), [
    (("polly", 0.1, 10), {}, "Did you mean poly?"),
    (("poly", 0.0, 10), {}, "learning rate is 0.0"),
    (("poly", 0.1, 10, 10), {}, "10 warm-up steps of 10"),
    (("poly", 0.1, 0), {}, "0 warm-up steps of 0"),
    (("poly", 0.1, 10), {"final_fraction": 1.5}, "final_fraction is 1.5"),
    (("step", 0.1, 10), {"step_every": 0}, "step_every is 0"),
    (("step", 0.1, 10), {"step_at": [0.7, 0.5]}, "rising fractions"),
    (("step", 0.1, 10), {"step_at": [30]}, "rising fractions"),
    (("step", 0.1, 10), {"step_at": []}, "rising fractions"),
])
def test_wrong_schedules_are_refused(args, options, words):
    with pytest.raises(UsageError, match=words.replace("?", r"\?")):
        make_schedule(*args, **options)
