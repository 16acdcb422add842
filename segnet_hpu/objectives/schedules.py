"""Learning rates over steps: Keras's own schedules behind a linear warm-up.

A step is one batch, counted from 0, as `optimizer._iterations` counts; with gradient accumulation Keras
asks for the rate by micro-batches, so count those.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Choice, Option, Registry
from segnet_hpu.errors import UsageError, users_code
from segnet_hpu.lazy import keras

if TYPE_CHECKING:
    from keras.optimizers.schedules import LearningRateSchedule

schedules = Registry("learning-rate schedule", flag="--lr_schedule",
                     expected="a Keras LearningRateSchedule, or a function (learning_rate, steps) that returns one")

FinalFraction = Annotated[float, Option("share of the rate that is left at the end", minimum=0, maximum=1,
                                        alias="final_rate")]


def make_schedule(name: Any, learning_rate: float, total_steps: int, warmup_steps: int = 0, *,
                  steps_per_epoch: int = 1, **options: Any) -> "LearningRateSchedule":
    """Return the schedule called `name` for steps 0..total_steps-1, warm-up included.

    name: of a registered schedule, MODULE:NAME, a choice of these with options, or a Keras schedule, whose own rate
    counts. learning_rate: the highest rate, > 0. The schedule runs over the n = total_steps - warmup_steps steps
    after the warm-up, s = 0..n-1. steps_per_epoch: what `step_every` counts. options: of the schedule.
    Raises UsageError for an unknown name and for numbers out of range.
    """
    if not learning_rate > 0:
        raise UsageError(f"learning rate is {learning_rate}; expected a number above 0")
    if not 0 <= warmup_steps < total_steps:
        raise UsageError(f"{warmup_steps} warm-up steps of {total_steps} in all; expected 0 or more, and "
                         "fewer than all: shorten the warm-up or train longer")
    choice = schedules.choice({"name": name, **options} if options else name)
    with users_code(f"--lr_schedule {choice}", schedules.expected):
        schedule = schedules.make(choice, learning_rate=float(learning_rate), steps=total_steps - warmup_steps,
                                  steps_per_epoch=steps_per_epoch)
        if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
            raise TypeError(f"{schedule!r} is no schedule")
    if not warmup_steps:
        return schedule
    from segnet_hpu.objectives.keras_schedules import WarmUp

    return WarmUp(schedule, warmup_steps)


def ends_with_run(choice: Choice) -> bool:
    """Return whether the schedule is another one in a run of more steps."""
    component = schedules.find(choice.name)
    return (choice.name != "constant" and not component.ready and "steps" in component.parameters
            and choice.options.get("step_every") is None)


@schedules.register("constant")
def constant(learning_rate: float, steps: int) -> "LearningRateSchedule":
    """The same rate at every step."""
    from segnet_hpu.objectives.keras_schedules import Constant

    return Constant(learning_rate)


@schedules.register("poly")
def poly(learning_rate: float, steps: int, *,
         power: Annotated[float, Option("the power", minimum=0, alias="poly_power")] = 0.9,
         final_fraction: FinalFraction = 0.0) -> "LearningRateSchedule":
    """end + (learning_rate - end) * (1 - s/n)^power with end = final_fraction * learning_rate.

    Without a final_fraction above 0 at the last step still (Chen et al. 2017, DeepLab).
    """
    return keras.optimizers.schedules.PolynomialDecay(learning_rate, steps, final_fraction * learning_rate, power)


def parse_shares(value: str | Sequence[float]) -> list[float]:
    """rising fractions between 0 and 1, such as 0.5,0.75"""
    shares = [float(x) for x in (value.split(",") if isinstance(value, str) else value)]
    if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] < 1:
        raise ValueError("each is larger than the one before")
    return shares


@schedules.register("step")
def step(learning_rate: float, steps: int, steps_per_epoch: int, *,
         gamma: Annotated[float, Option("by what the rate is multiplied at a drop", minimum=0, maximum=1,
                                        alias="step_gamma")] = 0.1,
         step_every: Annotated[float | None, Option("epochs between two drops", above=0, alias="step_every")] = None,
         step_at: Annotated[list | None, Option(
             "shares of the run, after the warm-up, at which the rate drops; 0.5,0.75 if neither is set",
             parse=parse_shares, alias="step_at")] = None) -> "LearningRateSchedule":
    """learning_rate * gamma^k after k drops: one every `step_every` epochs, or one at each share in `step_at`."""
    if step_every is not None and step_at:
        raise UsageError("--step_every and --step_at both say when the rate drops; give one of them")
    if step_every is not None:
        every = round(step_every * steps_per_epoch)
        if every < 1:
            raise UsageError(f"step_every is {step_every} of {steps_per_epoch} steps; expected 1 step or more")
        return keras.optimizers.schedules.ExponentialDecay(learning_rate, every, gamma, staircase=True)
    fractions = step_at or [0.5, 0.75]
    # Keras still gives the old rate at a boundary itself.
    boundaries = [round(fraction * steps) - 1 for fraction in fractions]
    rates = [learning_rate * gamma**drops for drops in range(len(fractions) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


@schedules.register("cosine")
def cosine(learning_rate: float, steps: int, *, final_fraction: FinalFraction = 0.0) -> "LearningRateSchedule":
    """From learning_rate towards final_fraction * learning_rate (Loshchilov & Hutter 2017)."""
    return keras.optimizers.schedules.CosineDecay(learning_rate, steps, alpha=final_fraction)
