"""The training step on PyTorch: eager, or through torch.compile where the model asks for it."""

from collections.abc import Callable
from typing import Any

import keras
import torch

from segnet_hpu.runtime.keras_internals import steps_done
from segnet_hpu.training.step.rising_momentum import Momenta


def compile_step(model: keras.Model, objective: Callable[..., Any], momenta: Momenta) -> Callable[..., torch.Tensor]:
    """Return the function (inputs, targets) -> the objective's vector that updates the model.

    objective: see make_train_step. momenta: of the moving averages, a context around each step.
    """
    optimizer = model.optimizer

    def update(inputs: Any, targets: Any) -> torch.Tensor:
        outputs = model(inputs, training=True)
        model.zero_grad()
        loss, result = objective(targets, outputs, model.losses)
        optimizer.scale_loss(loss).backward()
        variables = model.trainable_variables
        with torch.no_grad():
            optimizer.apply([variable.value.grad for variable in variables], variables)
        return result

    compiled = torch.compile(update) if model.jit_compile else update

    def step(inputs: Any, targets: Any) -> torch.Tensor:
        # Bytes travel as bytes: of arrays the model and the loss would make wider numbers on the host.
        inputs, targets = keras.tree.map_structure(keras.ops.convert_to_tensor, (inputs, targets))
        with momenta(model, steps_done(optimizer)):
            return compiled(inputs, targets)

    return step


def compile_forward(model: keras.Model) -> Callable[[Any], torch.Tensor]:
    """Return the function inputs -> outputs as in training, which moves the statistics of batch normalisation."""
    def forward(inputs: Any) -> torch.Tensor:
        with torch.no_grad():
            return model(inputs, training=True)

    return forward
