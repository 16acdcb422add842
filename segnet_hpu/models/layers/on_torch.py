"""Keras' layers on PyTorch, by PyTorch's own operators and without copies of the maps.

Keras' own add biases in a pass over the maps, and take ten passes, in float32, to normalise a batch. The numbers are
the same but for rounding.
"""

from typing import Any

import keras
import torch
from torch.nn import functional

from segnet_hpu.runtime.keras_internals import usual_moments
from segnet_hpu.runtime.keras_internals.torch import channels_first, keep_layout

_convolve, _normalise = keras.layers.Conv2D.call, keras.layers.BatchNormalization.call


def use_operators_of_torch() -> None:
    """Let layers of convolution, pooling and batch normalisation, of any model, compute by these from now on."""
    keep_layout()
    keras.layers.Conv2D.call = convolve
    keras.layers.BatchNormalization.call = normalise


def convolve(layer: keras.layers.Conv2D, inputs: torch.Tensor) -> torch.Tensor:
    """Return what a layer makes of maps (B, H, W, C): the convolution adds the bias itself."""
    padding = _padding(layer)
    if padding is None or layer.bias is None or layer.data_format != "channels_last":
        return _convolve(layer, inputs)
    kernel, bias = (keras.ops.convert_to_tensor(weight) for weight in (layer.kernel, layer.bias))
    convolved = functional.conv2d(channels_first(inputs), kernel.permute(3, 2, 0, 1), bias, layer.strides, padding,
                                  layer.dilation_rate, layer.groups).movedim(1, -1)
    return convolved if layer.activation is None else layer.activation(convolved)


def _padding(layer: keras.layers.Conv2D) -> tuple[int, ...] | None:
    """The zeros before and behind each side; None where they are not as many."""
    reaches = [dilation * (side - 1) for dilation, side in zip(layer.dilation_rate, layer.kernel_size, strict=True)]
    if layer.padding == "valid":
        return 0, 0
    if any(reach % 2 for reach in reaches) or set(layer.strides) != {1}:
        return None
    return tuple(reach // 2 for reach in reaches)


def normalise(layer: keras.layers.BatchNormalization, inputs: torch.Tensor, training: bool | None = None,
              mask: Any = None) -> torch.Tensor:
    """Return what a layer makes of maps (..., C), in their own type; training moves its statistics."""
    count = inputs.numel() // inputs.shape[-1]
    by_batch = bool(training and layer.trainable)
    if (mask is not None or layer.axis not in (-1, inputs.ndim - 1) or count < 2 or getattr(layer, "renorm", False)
            or (by_batch and not usual_moments(layer))):
        return _normalise(layer, inputs, training=training, mask=mask)
    moving = [keras.ops.convert_to_tensor(v) for v in (layer.moving_mean, layer.moving_variance)]
    scale, offset = (None if v is None else keras.ops.convert_to_tensor(v) for v in (layer.gamma, layer.beta))
    # With a momentum of 1 it leaves the batch's own statistics in buffers; not sure where another device computes.
    leaves_statistics = inputs.device.type in ("cpu", "cuda")
    buffers = moving if not by_batch else [torch.zeros_like(v) for v in moving] if leaves_statistics else [None, None]
    normalised = functional.batch_norm(channels_first(inputs), *buffers, scale, offset, by_batch, 1.0,
                                       layer.epsilon).movedim(1, -1)
    if by_batch:
        # Keras averages the variances of the batches themselves, PyTorch estimates of those of all there is.
        if leaves_statistics:
            mean, variance = buffers[0], buffers[1] * ((count - 1) / count)
        else:
            variance, mean = torch.var_mean(inputs.detach().float(), list(range(inputs.ndim - 1)), correction=0)
        for variable, before, new in zip((layer.moving_mean, layer.moving_variance), moving, (mean, variance),
                                         strict=True):
            variable.assign(before * layer.momentum + new * (1.0 - layer.momentum))
    return normalised.to(getattr(torch, layer.compute_dtype))
