"""The ranks that torch.distributed connects: Gloo between CPUs, NCCL between GPUs, HCCL between Gaudi cards."""

import contextlib
import functools
import importlib
import os
import time
from datetime import timedelta
from typing import Any

import keras
import numpy as np
import torch
import torch.distributed as dist

from segnet_hpu.errors import RunError
from segnet_hpu.runtime.keras_internals import (
    Gradients,
    batch_normalisations,
    replace_moments,
    trained_variables,
    transform_gradients,
)
from segnet_hpu.runtime.ranks.connected import Connected
from segnet_hpu.runtime.ranks.gradient_buckets import GradientBuckets, meeting
from segnet_hpu.runtime.ranks.interface import Run
from segnet_hpu.runtime.worker import Place

# What the processes talk by. Arrays of the host always go over Gloo.
COLLECTIVES = {"cuda": "cpu:gloo,cuda:nccl", "hpu": "cpu:gloo,hpu:hccl", "cpu": "gloo"}


class TorchDistributed(Connected):
    """The ranks of torch.distributed, which find each other at their first meeting, when the device is set up.

    place: of this process; MASTER_ADDR and MASTER_PORT of the environment say where rank 0 is. timeout: seconds that
    a lost rank may hold the others up. The first meeting raises RunError where they do not find each other.
    """

    xla = False  # the backward pass that sends the gradients is not compiled

    def __init__(self, place: Place, timeout: float) -> None:
        self.place, self.timeout = place, timeout
        self.rank, self.size, self.planned = place.rank, place.size, place.size
        self.local_rank, self.local_size = place.local_rank, place.local_size
        self.leads = self.rank == 0
        self._agreed: torch.Tensor | None = None
        self._waited = 0.0
        self._buckets: GradientBuckets | None = None
        self._watched: list[torch.Tensor] = []

    def together(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()  # every collective raises WorkerLost itself

    def broadcast(self, value: Any) -> Any:
        _connect(self.place, self.timeout)
        box = [value]
        with meeting():
            dist.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]

    def sum(self, array: np.ndarray) -> np.ndarray:
        _connect(self.place, self.timeout)
        tensor = torch.from_numpy(np.array(array))
        with meeting():
            dist.all_reduce(tensor)
        return tensor.numpy()

    def average_gradients(self, optimizer: keras.Optimizer, compress: bool = False) -> None:
        """See Ranks. Each bucket is on its way as soon as the backward pass has filled it.

        Gradients that are accumulated go all at once, when an update is due: once in so many steps.
        """
        self._wish = keras.ops.zeros(2)  # whether to save, whether to stop
        self._wire = torch.float16 if compress else None
        self._buckets, self._watched = None, []
        if not optimizer.gradient_accumulation_steps or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            self._watched = [variable.value for variable in trained_variables(optimizer)]
            self._buckets = GradientBuckets(self._watched, self._wish, self._wire)
        transform_gradients(optimizer, self._average)

    def drive(self, run: Run) -> None:
        with self._buckets.watching(self._watched) if self._buckets else contextlib.nullcontext():
            run.loop()

    def _average(self, gradients: Gradients) -> Gradients:
        began = time.perf_counter()
        if self._buckets is None:
            self._buckets = GradientBuckets(gradients, self._wish, self._wire)
        if not self._buckets.watches:
            gradients = [self._buckets.put(i, gradient) for i, gradient in enumerate(gradients)]
        self._agreed = self._buckets.finish()
        self._waited += time.perf_counter() - began
        return gradients

    def agree(self, save: bool, stop: bool) -> tuple[bool, bool]:
        agreed = (False, False) if self._agreed is None else tuple(wish > 0 for wish in self._agreed.tolist())
        self._agreed = None
        # What has been agreed on is done now: no need to wish for it again.
        self._wish.copy_(torch.tensor([0.0, 0.0] if any(agreed) else [float(save), float(stop)]))
        return agreed[0], agreed[1]

    def waited(self) -> float | None:
        """See Ranks. What the backward pass hides is not counted; None where the device waits, not the host."""
        seconds, self._waited = self._waited, 0.0
        return seconds if self._wish.device.type == "cpu" else None

    def synchronise_batch_norm(self, model: keras.Model) -> None:
        for layer in batch_normalisations(model):
            replace_moments(layer, functools.partial(_moments, layer))


def _connect(place: Place, timeout: float) -> None:
    """Let the ranks find each other, unless they have: a second run of a process goes on with them."""
    if dist.is_initialized():
        return
    device = keras.ops.zeros(()).device.type
    if device == "hpu":
        importlib.import_module("habana_frameworks.torch.distributed.hccl")
    limit = timedelta(seconds=timeout)
    try:
        store, rank, size = next(dist.rendezvous("env://", place.rank, place.size, timeout=limit))
        # Where torchrun has started all anew, the addresses of those before may still be noted there.
        store = dist.PrefixStore(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"), store)
        dist.init_process_group(COLLECTIVES[device], store=store, rank=rank, world_size=size, timeout=limit)
    except RuntimeError as error:  # torch.distributed.DistError and its kind
        raise RunError(f"rank {place.rank} of {place.size} does not find the others: "
                       f"{str(error).partition(chr(10))[0]}; expected all of them within {timeout:g} s "
                       "(--fault_timeout)") from error


def _moments(layer: keras.layers.BatchNormalization, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance over all ranks' inputs, of which each has as many."""
    axes = [axis for axis in range(inputs.ndim) if axis != layer.axis % inputs.ndim]
    variance, mean = torch.var_mean(inputs, axes, correction=0)
    return _MomentsOfAll.apply(mean, variance)


class _MomentsOfAll(torch.autograd.Function):
    """Mean and variance of all ranks' inputs from those of each one's."""

    @staticmethod
    def forward(context: Any, mean: torch.Tensor, variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # One message for both; gathered, because a difference of summed squares would lose digits.
        own = torch.stack([mean, variance])
        every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        with meeting():
            dist.all_gather(every, own)
        means, variances = torch.stack(every).unbind(1)
        middle = means.mean(0)
        context.save_for_backward(mean - middle)
        return middle, (variances + (means - middle)**2).mean(0)

    @staticmethod
    def backward(context: Any, by_mean: torch.Tensor, by_variance: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        deviation, = context.saved_tensors
        gradients = torch.stack([by_mean, by_variance])
        with meeting():
            dist.all_reduce(gradients)
        by_mean, by_variance = gradients / dist.get_world_size()
        return by_mean + 2 * deviation * by_variance, by_variance
