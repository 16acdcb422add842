"""The training step on JAX: a pure function of the variables' values, which are set anew after it."""

from collections.abc import Callable
from typing import Any

import jax
import keras

from segnet_hpu.runtime.keras_internals import steps_done
from segnet_hpu.training.step.rising_momentum import Momenta

Values = list[jax.Array]


def compile_step(model: keras.Model, objective: Callable[..., Any], momenta: Momenta) -> Callable[..., jax.Array]:
    """Return the function (inputs, targets) -> the objective's vector that updates the model.

    objective: see make_train_step. momenta: of the moving averages, a context around each step.
    """
    optimizer = model.optimizer

    def scaled_loss(trained: Values, other: Values, state: Values, inputs: Any, targets: Any) -> Any:
        outputs, other, added = model.stateless_call(trained, other, inputs, training=True, return_losses=True)
        loss, result = objective(targets, outputs, added)
        with keras.StatelessScope(state_mapping=zip(optimizer.variables, state, strict=True)):
            return optimizer.scale_loss(loss), (other, result)

    def update(values: list[Values], inputs: Any, targets: Any) -> tuple[list[Values], jax.Array]:
        trained, other, state = values
        with keras.StatelessScope(state_mapping=zip(optimizer.variables, state, strict=True)):
            steps = steps_done(optimizer)
        with momenta(model, steps):
            gradients, (other, result) = jax.grad(scaled_loss, has_aux=True)(trained, other, state, inputs, targets)
            trained, state = optimizer.stateless_apply(state, gradients, trained)
        return [trained, other, state], result

    if model.jit_compile:
        update = jax.jit(update, donate_argnums=0)

    def step(inputs: Any, targets: Any) -> jax.Array:
        groups = [model.trainable_variables, model.non_trainable_variables, optimizer.variables]
        values, result = update([[v.value for v in group] for group in groups], inputs, targets)
        for group, new in zip(groups, values, strict=True):
            for variable, value in zip(group, new, strict=True):
                variable.assign(value)
        return result
    return step


def compile_forward(model: keras.Model) -> Callable[[Any], jax.Array]:
    """Return the function inputs -> outputs as in training, which moves the statistics of batch normalisation."""
    def compute(trained: Values, other: Values, inputs: Any) -> tuple[jax.Array, Values]:
        return model.stateless_call(trained, other, inputs, training=True)

    compiled = jax.jit(compute) if model.jit_compile else compute

    def forward(inputs: Any) -> jax.Array:
        trained, other = ([v.value for v in group] for group in
                          (model.trainable_variables, model.non_trainable_variables))
        outputs, other = compiled(trained, other, inputs)
        for variable, value in zip(model.non_trainable_variables, other, strict=True):
            variable.assign(value)
        return outputs
    return forward
