"""The training step: forward, loss, gradients, update. One file a backend; what they share is here."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from segnet_hpu.training.step.rising_momentum import constant_momenta, rising_momenta

# Of the backend in force: a tf.Tensor, torch.Tensor or jax.Array.
Tensor = Any
Batch = Any  # arrays or tensors, structured as the model's inputs or outputs
Measure = Callable[[Batch, Batch], list[Tensor]]


class StepResult(NamedTuple):
    """What came of one step.

    loss: what was minimised, the mean over the batch with all regularisation, before the update. counts: the
    numbers that the step's `counts` gave.
    """

    loss: float
    counts: list[float]


def _no_counts(targets: Batch, outputs: Batch) -> list[Tensor]:
    return []


def make_train_step(model: keras.Model, loss: Callable[[Batch, Batch], Tensor], counts: Measure = _no_counts,
                    loss_weight: float = 1.0, rising: bool = True) -> Callable[[Batch, Batch], StepResult]:
    """Return the function (inputs, targets) -> StepResult that trains `model` by a batch, in place.

    model: compiled, with its optimizer built; `jit_compile` of its `compile` counts. loss: function (targets,
    outputs) -> scalar, mean over the batch; `model.losses` (regularisation, add_loss) are added to it. counts:
    function (targets, outputs) -> list of float32 scalars, computed with the loss. loss_weight: factor of `loss`,
    not of what is added. rising: the momenta of the moving averages rise with the steps; see rising_momentum.

        step = make_train_step(model, model.loss)
        step(images, labels).loss
    """
    def objective(targets: Batch, outputs: Batch, added: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Return (the loss, everything that the step returns as one vector: a single transfer)."""
        total = sum((ops.sum(ops.cast(term, "float32")) for term in added), loss_weight * loss(targets, outputs))
        return total, ops.stack([total, *counts(targets, outputs)])

    update = _of_backend().compile_step(model, objective, rising_momenta if rising else constant_momenta)

    def step(inputs: Batch, targets: Batch) -> StepResult:
        result: np.ndarray = ops.convert_to_numpy(update(inputs, targets))
        return StepResult(float(result[0]), result[1:].tolist())
    return step


def make_forward(model: keras.Model) -> Callable[[Batch], Tensor]:
    """Return the function inputs -> outputs of `model` as in training, without an update of its weights.

    It moves batch normalisation's statistics and the seeds of dropout. model: compiled; its `jit_compile` counts.
    """
    return _of_backend().compile_forward(model)


def _of_backend() -> ModuleType:
    return importlib.import_module(f"segnet_hpu.training.step.{keras.backend.backend()}")
