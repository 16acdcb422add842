"""The training step on PyTorch: eager, or through torch.compile where the model asks for it."""

from collections.abc import Callable
from typing import Any

import keras
import torch


def compile_step(model: keras.Model, objective: Callable[..., Any]) -> Callable[..., torch.Tensor]:
    """Return the function (inputs, targets) -> the objective's vector that updates the model.

    objective: see make_train_step.
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

    return torch.compile(update) if model.jit_compile else update
