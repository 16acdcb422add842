"""Keras's optimizers by name, with the options of training set in one place."""

import keras

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.objectives.names import OPTIMIZERS

# Decay would do harm to biases and to BatchNormalization's scale and shift. TensorFlow's own variables,
# which Keras passes here, are called "bias:0" or "layer/bias:0", other backends' "bias".
NO_DECAY = r"(^|/)(bias|gamma|beta)(:|$)"

_CLASSES = {"adamw": "AdamW", "sgd": "SGD", "rmsprop": "RMSprop"}


def make_optimizer(name, learning_rate, *, weight_decay=0.0, clipnorm=None, accumulate=1, ema=None,
                   momentum=0.9):
    """Return the Keras optimizer called `name` (objectives.names.OPTIMIZERS).

    learning_rate: a number or a schedule over batches.
    weight_decay: decoupled, w -= rate * weight_decay * w before the step (Loshchilov & Hutter 2019), for
        kernels alone. Keras keeps the exceptions out of the optimizer's config: after a reload, make the
        optimizer anew and set its variables.
    clipnorm: bound of the global gradient norm.
    accumulate: batches whose gradients are averaged into one update; clipping and decay act on the average,
        and batches left over at the end change no weight.
    ema: momentum of the moving average of the trainable weights, for each update; None for none. Keras never
        copies it into the model while training, but `fit` does once after its last epoch.
    momentum: for sgd alone.

    Raises UsageError for an unknown name and for numbers out of range.
    """
    if name not in OPTIMIZERS:
        raise UsageError(f"unknown optimizer {name!r}; expected one of "
                         f"{', '.join(OPTIMIZERS)}.{nearest(name, OPTIMIZERS)}")
    _check(weight_decay >= 0, "weight_decay", weight_decay, "a number of at least 0")
    _check(clipnorm is None or clipnorm > 0, "clipnorm", clipnorm, "a number above 0, or none")
    _check(accumulate >= 1, "accumulate", accumulate, "1 batch or more")
    _check(ema is None or 0 < ema < 1, "ema", ema, "a number between 0 and 1, or none")
    _check(0 <= momentum < 1, "momentum", momentum, "a number from 0 to below 1")
    options = {"global_clipnorm": clipnorm}
    if name == "sgd":
        options["momentum"] = momentum
    if weight_decay or name == "adamw":
        options["weight_decay"] = weight_decay
    if accumulate > 1:
        options["gradient_accumulation_steps"] = accumulate
    if ema is not None:
        # Keras averages at every batch, also at those that only accumulate.
        options.update(use_ema=True, ema_momentum=ema ** (1 / accumulate))
    if isinstance(learning_rate, (int, float)):
        learning_rate = float(learning_rate)
    optimizer = getattr(keras.optimizers, _CLASSES.get(name, name.capitalize()))(learning_rate, **options)
    optimizer.exclude_from_weight_decay(var_names=[NO_DECAY])
    return optimizer


def _check(fine, name, value, expected):
    if not fine:
        raise UsageError(f"{name} is {value}; expected {expected}")
