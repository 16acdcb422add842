"""Keras's optimizers by name, with the options of training set in one place."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option, Registry
from segnet_hpu.errors import UsageError, users_code
from segnet_hpu.lazy import keras

if TYPE_CHECKING:
    from keras.optimizers import Optimizer
    from keras.optimizers.schedules import LearningRateSchedule

# Decay would do harm to biases, to BatchNormalization's scale and shift, and to PReLU's slopes. TensorFlow's own
# variables, which Keras passes here, are called "bias:0" or "layer/bias:0", other backends' "bias".
NO_DECAY = r"(^|/)(bias|gamma|beta|alpha)(:|$)"

optimizers = Registry(
    "optimizer", flag="--optimizer_name", expected="a Keras optimizer, or its class", takes_all=True,
    accepts=lambda found: isinstance(found, type) or inspect.isroutine(found) or hasattr(found, "apply"))


def _of_keras(name: str) -> Callable[..., "Optimizer"]:
    def make(**common: Any) -> "Optimizer":
        return getattr(keras.optimizers, name)(**common)

    make.__doc__ = f"Keras's {name}."
    return make


for _name in ("Adam", "AdamW"):
    optimizers.register(_name.lower())(_of_keras(_name))


@optimizers.register("sgd")
def sgd(*, momentum: Annotated[float, Option("share of the last step that is taken again", minimum=0, below=1,
                                             example="0.9", alias="momentum", ignored=0.9)] = 0.9,
        **common: Any) -> "Optimizer":
    """Keras's SGD: stochastic gradient descent."""
    return keras.optimizers.SGD(momentum=momentum, **common)


for _name in ("RMSprop", "Adadelta", "Adagrad", "Nadam", "Adamax", "Adafactor", "Ftrl", "Lion"):
    optimizers.register(_name.lower())(_of_keras(_name))


def make_optimizer(name: Any, learning_rate: "float | LearningRateSchedule", *, weight_decay: float = 0.0,
                   clipnorm: float | None = None, accumulate: int = 1, ema: float | None = None,
                   **options: Any) -> "Optimizer":
    """Return the Keras optimizer of a registered name, of MODULE:NAME, or of a choice of these with options.

    learning_rate: a number or a schedule over batches.
    weight_decay: decoupled, w -= rate * weight_decay * w before the step (Loshchilov & Hutter 2019), for
        kernels alone. Keras keeps the exceptions out of the optimizer's config: after a reload, make the
        optimizer anew and set its variables.
    clipnorm: bound of the global gradient norm.
    accumulate: batches whose gradients are averaged into one update; clipping and decay act on the average,
        and batches left over at the end change no weight.
    ema: momentum of the moving average of the trainable weights, for each update; None for none. Keras never
        copies it into the model while training, but `fit` does once after its last epoch.
    options: those of the optimizer, such as momentum of sgd.
    An optimizer that is made already is returned as it is, with its own rate and settings.

    Raises UsageError for an unknown name and for numbers out of range.
    """
    _check(weight_decay >= 0, "weight_decay", weight_decay, "a number of at least 0")
    _check(clipnorm is None or clipnorm > 0, "clipnorm", clipnorm, "a number above 0, or none")
    _check(accumulate >= 1, "accumulate", accumulate, "1 batch or more")
    _check(ema is None or 0 < ema < 1, "ema", ema, "a number between 0 and 1, or none")
    choice = optimizers.choice({"name": name, **options} if options else name)
    if optimizers.find(choice.name).ready:
        return optimizers.make(choice)
    common: dict[str, Any] = {"global_clipnorm": clipnorm}
    if weight_decay or choice.name == "adamw":
        common["weight_decay"] = weight_decay
    if accumulate > 1:
        common["gradient_accumulation_steps"] = accumulate
    if ema is not None:
        # Keras averages at every batch, also at those that only accumulate.
        common.update(use_ema=True, ema_momentum=ema ** (1 / accumulate))
    if isinstance(learning_rate, int | float):
        learning_rate = float(learning_rate)
    with users_code(f"--optimizer_name {choice}", optimizers.expected):
        optimizer = optimizers.make(choice, learning_rate=learning_rate, **common)
        if not hasattr(optimizer, "apply"):
            raise TypeError(f"it made {optimizer!r}")
    optimizer.exclude_from_weight_decay(var_names=[NO_DECAY])
    return optimizer


def _check(fine: bool, name: str, value: Any, expected: str) -> None:
    if not fine:
        raise UsageError(f"{name} is {value}; expected {expected}")
