"""Moving averages that are right from the first step on: their momentum rises to what it is set to.

Keras' own give the values before training the weight momentum^n after n steps: 75 % of batch normalisation's after
28 steps at 0.99. Here they have none, and an average looks back over a ninth of the steps at most.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import keras
from keras import ops

from segnet_hpu.runtime.keras_internals import batch_normalisations, inner_optimizer

DELAY = 9  # as in tf.train.ExponentialMovingAverage

# A function (model, steps done) -> the context of the next step.
Momenta: TypeAlias = Callable[[keras.Model, Any], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def rising_momenta(model: keras.Model, steps: Any) -> Iterator[None]:
    """Within this context, the momenta of batch normalisation and of the weights' average are those of the next step.

    model: compiled. steps: done before, an integer scalar of the backend, symbolic where a graph is traced.
    """
    optimizer = inner_optimizer(model.optimizer)
    layers = batch_normalisations(model)
    momenta = [rising(layer.momentum, ops.cast(steps, layer.variable_dtype)) for layer in layers]
    averaging = [optimizer] if optimizer.use_ema else []
    averages = [rising_by_updates(optimizer, steps) for _ in averaging]
    with exchanged(layers, "momentum", momenta), exchanged(averaging, "ema_momentum", averages):
        yield


def constant_momenta(model: keras.Model, steps: Any) -> contextlib.AbstractContextManager[None]:
    """Return the context in which the momenta are what they are set to at every step."""
    return contextlib.nullcontext()


def rising(momentum: float, steps: Any) -> Any:
    """Return the momentum after so many steps, a float: n / (n + 9), at most `momentum`."""
    return ops.minimum(ops.cast(momentum, steps.dtype), steps / (steps + DELAY))


def rising_by_updates(optimizer: keras.Optimizer, steps: Any) -> Any:
    """Return the momentum of the weights' average for the next step; 1 where that only accumulates its gradients."""
    batches = optimizer.gradient_accumulation_steps or 1
    updates = (steps + 1) // batches
    # make_optimizer took the root of it, for an average at every batch.
    momentum = rising(optimizer.ema_momentum ** batches, ops.cast(ops.maximum(updates - 1, 0), "float32"))
    return ops.where((steps + 1) % batches == 0, momentum, 1.0)


@contextlib.contextmanager
def exchanged(owners: Sequence[Any], name: str, values: Sequence[Any]) -> Iterator[None]:
    """Within this context an attribute of each owner is another."""
    before = [getattr(owner, name) for owner in owners]
    try:
        for owner, value in zip(owners, values, strict=True):
            setattr(owner, name, value)
        yield
    finally:
        for owner, value in zip(owners, before, strict=True):
            setattr(owner, name, value)
