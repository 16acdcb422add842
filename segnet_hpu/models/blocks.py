"""Groups of layers that several networks use."""

from __future__ import annotations

from typing import Any

from segnet_hpu.lazy import keras, layers


def conv_bn_relu(x: keras.KerasTensor, width: int, kernel: int = 1, *, name: str, separable: bool = False,
                 epsilon: float = 1e-3, **options: Any) -> keras.KerasTensor:
    """Convolution without bias, batch normalisation, ReLU.

    separable: a depthwise convolution, normalised and rectified too, then a 1x1 one (arXiv 1802.02611).
    options: of the convolution with the kernel, such as dilation_rate.
    """
    if separable:
        x = layers.DepthwiseConv2D(kernel, padding="same", use_bias=False, name=f"{name}_depthwise", **options)(x)
        x = layers.BatchNormalization(epsilon=epsilon, name=f"{name}_depthwise_bn")(x)
        x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
        kernel, options = 1, {}
    x = layers.Conv2D(width, kernel, padding="same", use_bias=False, name=f"{name}_conv", **options)(x)
    x = layers.BatchNormalization(epsilon=epsilon, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def double(x: keras.KerasTensor, by_repetition: bool, name: str) -> keras.KerasTensor:
    """Double height and width: each value repeated, or a 2x2 transposed convolution."""
    if by_repetition:
        return layers.UpSampling2D(2, name=name)(x)
    return layers.Conv2DTranspose(x.shape[-1], 2, strides=2, name=name)(x)


def resize(x: keras.KerasTensor, size: tuple[int, int], name: str) -> keras.KerasTensor:
    """Resize (B, h, w, C) to (B, *size, C), bilinear with half-pixel centres."""
    return layers.Resizing(*size, interpolation="bilinear", name=name)(x)
