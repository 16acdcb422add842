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


def double(x: keras.KerasTensor, by_repetition: bool, name: str, corner_grid: bool = False) -> keras.KerasTensor:
    """Double height and width: each value repeated, or a 2x2 transposed convolution.

    corner_grid: where the map lies, see models/encoders; repeated values then become a bilinear enlargement.
    """
    if by_repetition:
        x = layers.UpSampling2D(2, name=name)(x)
    else:
        x = layers.Conv2DTranspose(x.shape[-1], 2, strides=2, name=name)(x)
    return half_back(x, name) if corner_grid else x


def half_back(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Move a map half a pixel towards its first row and column: the mean with the next ones, where there are such."""
    return layers.AveragePooling2D(2, strides=1, padding="same", name=f"{name}_half_back")(x)


def enlarge(x: keras.KerasTensor, size: tuple[int, int], factor: int, name: str,
            corner_grid: bool = False) -> keras.KerasTensor:
    """Enlarge (B, h, w, C) bilinearly to (B, *size, C).

    factor: a power of two, by which the sides grow; on the corner grid what is beyond `size` is cut off.
    """
    if not corner_grid:
        return resize(x, size, name)
    for i in range(factor.bit_length() - 1):
        x = double(x, True, f"{name}_{i + 1}", corner_grid)
    beyond = tuple((0, side - wanted) for side, wanted in zip(x.shape[1:3], size, strict=True))
    return x if beyond == ((0, 0), (0, 0)) else layers.Cropping2D(beyond, name=f"{name}_crop")(x)


def resize(x: keras.KerasTensor, size: tuple[int, int], name: str) -> keras.KerasTensor:
    """Resize (B, h, w, C) to (B, *size, C), bilinear with half-pixel centres."""
    return layers.Resizing(*size, interpolation="bilinear", name=name)(x)
