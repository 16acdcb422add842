"""The private names of Keras' torch backend that this package touches; that each is there is checked at import."""

import functools
import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import torch

from segnet_hpu.runtime.keras_internals import check_keras

core: Any = importlib.import_module("keras.src.backend.torch.core")
nn: Any = importlib.import_module("keras.src.backend.torch.nn")
random: Any = importlib.import_module("keras.src.backend.torch.random")

_DRAWS = ("normal", "uniform", "randint", "truncated_normal", "categorical")


def _missing() -> Iterator[str]:
    """Yield the private names that this Keras lacks."""
    for module, names in ((core, ("DEFAULT_DEVICE", "get_device")), (nn, ("_transpose_spatial_inputs",)),
                          (random, (*_DRAWS, "dropout"))):
        yield from (f"{module.__name__}.{name}" for name in names if not hasattr(module, name))


check_keras(_missing)


def use_device(device: str) -> None:
    """Let Keras make PyTorch's tensors on this device from now on, in every thread.

    Keras before 3.14 reads no variable, and every Keras looks for its device once, when it is imported.
    """
    core.DEFAULT_DEVICE = device


def channels_first(maps: Any) -> Any:
    """Return the view (B, C, ...) of maps (B, ..., C); PyTorch calls its memory channels_last."""
    return maps.movedim(-1, 1)


def keep_layout() -> None:
    """Let Keras give PyTorch views of its maps: from 3.13 on it copies each into another layout, and back."""
    nn._transpose_spatial_inputs = channels_first


_dropout = random.dropout


def _seeded(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Any:
    """Keras' dropout by the layer's own seeds, which a checkpoint holds.

    Where no shape is given, Keras lets PyTorch draw by a generator that a resumed run would begin anew.
    """
    return _dropout(inputs, rate, noise_shape or (None,) * inputs.ndim, seed)


random.dropout = _seeded


@functools.cache  # once a process
def draw_on_host() -> None:
    """Let Keras draw random numbers of PyTorch on the host, and bring them to the device that it computes on.

    For devices that have no torch.Generator. Keras makes one for every initializer and every dropout.
    """
    for name in _DRAWS:
        setattr(random, name, _drawn_on_host(getattr(random, name)))

    drop = random.dropout

    def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Any = None) -> Any:
        if inputs.is_meta or not 0 < rate < 1:
            return drop(inputs, rate, noise_shape, seed)
        with keras.device("cpu"):  # which pixels Keras would keep there
            kept = drop(torch.ones_like(inputs, device="cpu"), rate, noise_shape, seed) > 0
        return torch.where(kept.to(inputs.device), inputs / (1 - rate), torch.zeros_like(inputs))

    random.dropout = dropout


def _drawn_on_host(draw: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(draw)
    def draw_there(*args: Any, **kwargs: Any) -> Any:
        device = core.get_device()
        if device == "meta":  # a symbolic call, which draws nothing
            return draw(*args, **kwargs)
        with keras.device("cpu"):
            numbers = draw(*args, **kwargs)
        return numbers.to(device)

    return draw_there
