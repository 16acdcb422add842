"""The training step on TensorFlow: one graph."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def compile_step(model: keras.Model, objective: Callable[..., Any]) -> Callable[..., tf.Tensor]:
    """Return the function (inputs, targets) -> the objective's vector that updates the model.

    objective: see make_train_step.
    """
    optimizer = model.optimizer

    def update(inputs: Any, targets: Any) -> tf.Tensor:
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            loss, result = objective(targets, outputs, model.losses)
            scaled = optimizer.scale_loss(loss)
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(scaled, variables), variables)
        return result

    return tf.function(update, autograph=False, reduce_retracing=True, jit_compile=model.jit_compile)
