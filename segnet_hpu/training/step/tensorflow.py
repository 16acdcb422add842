"""The training step on TensorFlow: one graph."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from segnet_hpu.runtime.keras_internals import steps_done
from segnet_hpu.training.step.rising_momentum import Momenta


def compile_step(model: keras.Model, objective: Callable[..., Any], momenta: Momenta) -> Callable[..., tf.Tensor]:
    """Return the function (inputs, targets) -> the objective's vector that updates the model.

    objective: see make_train_step. momenta: of the moving averages, a context around each step.
    """
    optimizer = model.optimizer
    on_cpu = all(device.device_type == "CPU" for device in tf.config.list_logical_devices())
    sum_gradients = float32_bias_gradients if on_cpu else contextlib.nullcontext

    def update(inputs: Any, targets: Any) -> tf.Tensor:
        with momenta(model, steps_done(optimizer)), sum_gradients():
            with tf.GradientTape() as tape:
                outputs = model(inputs, training=True)
                loss, result = objective(targets, outputs, model.losses)
                scaled = optimizer.scale_loss(loss)
            variables = model.trainable_variables
            optimizer.apply(tape.gradient(scaled, variables), variables)
        return result

    return tf.function(update, autograph=False, reduce_retracing=True, jit_compile=model.jit_compile)


def compile_forward(model: keras.Model) -> Callable[[Any], tf.Tensor]:
    """Return the function inputs -> outputs as in training, which moves the statistics of batch normalisation."""
    return tf.function(lambda inputs: model(inputs, training=True), autograph=False, reduce_retracing=True,
                       jit_compile=model.jit_compile)


@contextlib.contextmanager
def float32_bias_gradients() -> Iterator[None]:
    """Within this context biases that Keras adds to bf16 have gradients that are summed in float32.

    TensorFlow's own BiasAddGrad sums bf16 in bf16 on the CPU, where a sum stands still once its terms are below
    half of its last bit: over a batch of maps it falls short tenfold.
    """
    add = tf.nn.bias_add

    @tf.custom_gradient
    def add_exactly(value: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            over = list(range(upstream.shape.rank - 1))
            return upstream, tf.cast(tf.reduce_sum(tf.cast(upstream, tf.float32), over), bias.dtype)
        return add(value, bias), gradient

    def bias_add(value: tf.Tensor, bias: tf.Tensor, data_format: str = "NHWC") -> tf.Tensor:
        if value.dtype == tf.bfloat16 and data_format == "NHWC":
            return add_exactly(value, bias)
        return add(value, bias, data_format)

    tf.nn.bias_add = bias_add
    try:
        yield
    finally:
        tf.nn.bias_add = add
