"""Learning rates over steps: Keras's own schedules behind a linear warm-up.

A step is one batch, counted from 0, as `optimizer._iterations` counts; with gradient accumulation Keras
asks for the rate by micro-batches, so count those.
"""

import keras
from keras import ops
from keras.optimizers import schedules as keras_schedules

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.objectives.names import SCHEDULES


@keras.saving.register_keras_serializable("segnet_hpu")
class Constant(keras_schedules.LearningRateSchedule):
    """The same rate at every step."""

    def __init__(self, learning_rate):
        self.learning_rate = learning_rate

    def __call__(self, step):
        return ops.convert_to_tensor(self.learning_rate, "float32")

    def get_config(self):
        return {"learning_rate": self.learning_rate}


@keras.saving.register_keras_serializable("segnet_hpu")
class WarmUp(keras_schedules.LearningRateSchedule):
    """`schedule`, put off by `steps` >= 1 in which the rate rises evenly to schedule(0).

    rate(t) = schedule(0) * (t + 1) / (steps + 1) for t < steps, then schedule(t - steps).
    Goyal et al. 2017, gradual warm-up.
    """

    def __init__(self, schedule, steps):
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        share = ops.minimum((step + 1.0) / (self.steps + 1.0), 1.0)
        return share * self.schedule(ops.maximum(step - self.steps, 0.0))

    def get_config(self):
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["steps"])


def make_schedule(name, learning_rate, total_steps, warmup_steps=0, *, power=0.9, gamma=0.1,
                  step_every=None, step_at=(0.5, 0.75), final_fraction=0.0):
    """Return the schedule called `name` for steps 0..total_steps-1, warm-up included.

    learning_rate: the highest rate, > 0. The decay runs over the n = total_steps - warmup_steps steps
    after the warm-up, s = 0..n-1:
    constant: learning_rate
    poly: end + (learning_rate - end) * (1 - s/n)^power with end = final_fraction * learning_rate; without it
        above 0 at the last step still (Chen et al. 2017, DeepLab)
    step: learning_rate * gamma^k, where k counts the drops up to s: one every `step_every` steps, or
        without it one at each fraction of n in `step_at`
    cosine: from learning_rate towards final_fraction * learning_rate (Loshchilov & Hutter 2017)

    Raises UsageError for an unknown name and for numbers out of range.
    """
    if name not in SCHEDULES:
        raise UsageError(f"unknown learning-rate schedule {name!r}; expected one of "
                         f"{', '.join(SCHEDULES)}.{nearest(name, SCHEDULES)}")
    if not learning_rate > 0:
        raise UsageError(f"learning rate is {learning_rate}; expected a number above 0")
    if not 0 <= warmup_steps < total_steps:
        raise UsageError(f"{warmup_steps} warm-up steps of {total_steps} in all; expected 0 or more, and "
                         "fewer than all: shorten the warm-up or train longer")
    steps, rate = total_steps - warmup_steps, float(learning_rate)
    if not 0 <= final_fraction <= 1:
        raise UsageError(f"final_fraction is {final_fraction}; expected a share from 0 to 1")
    if name == "constant":
        schedule = Constant(rate)
    elif name == "poly":
        schedule = keras_schedules.PolynomialDecay(rate, steps, final_fraction * rate, power)
    elif name == "cosine":
        schedule = keras_schedules.CosineDecay(rate, steps, alpha=final_fraction)
    elif step_every is not None:
        schedule = _step_every(rate, gamma, step_every)
    else:
        schedule = _step_at(rate, gamma, step_at, steps)
    return WarmUp(schedule, warmup_steps) if warmup_steps else schedule


def _step_every(rate, gamma, steps):
    if steps < 1:
        raise UsageError(f"step_every is {steps}; expected 1 step or more")
    return keras_schedules.ExponentialDecay(rate, steps, gamma, staircase=True)


def _step_at(rate, gamma, fractions, steps):
    fractions = list(fractions)
    if not fractions or fractions != sorted(set(fractions)) or not 0 < fractions[0] <= fractions[-1] < 1:
        raise UsageError(f"step_at is {fractions}; expected rising fractions between 0 and 1")
    # Keras still gives the old rate at a boundary itself.
    boundaries = [round(fraction * steps) - 1 for fraction in fractions]
    rates = [rate * gamma**drops for drops in range(len(fractions) + 1)]
    return keras_schedules.PiecewiseConstantDecay(boundaries, rates)
