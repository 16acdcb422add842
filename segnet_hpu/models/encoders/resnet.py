"""ResNet-18 and -34, of two 3x3 convolutions a block (He et al., arXiv 1512.03385)."""

from functools import partial
from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.dilation import step
from segnet_hpu.models.encoders.normalisation import TORCH

if TYPE_CHECKING:
    from keras import KerasTensor


def resnet(x: "KerasTensor", output_stride: int = 32, *, depths: tuple[int, ...]) -> "list[KerasTensor]":
    """Map a normalised image (B, H, W, C) to feature maps of 64, 64, 128, 256 and 512 channels.

    depths: blocks in each of the four stages.
    """
    x = layers.ReLU(name="stage1_relu")(_conv_bn(x, 64, 7, "stage1", 2))
    features = [x]
    x = layers.ZeroPadding2D(1, name="stage2_pad")(x)  # below zero nothing comes out of a ReLU
    x = layers.MaxPooling2D(3, strides=2, name="stage2_pool")(x)
    for number, depth in enumerate(depths, start=2):
        strides, first_rate = (1, 1) if number == 2 else step(2 ** (number - 1), output_stride)
        rate = step(2 ** number, output_stride)[1]
        for i in range(1, depth + 1):
            x = _block(x, 64 << (number - 2), f"stage{number}_{i}", rate,
                       *((strides, first_rate) if i == 1 else (1, rate)))
        features.append(x)
    return features


def _block(x: "KerasTensor", width: int, name: str, rate: int, strides: int, first_rate: int) -> "KerasTensor":
    """first_rate: dilation of the first convolution, which sees the map before `strides`."""
    branch = _conv_bn(x, width, 3, f"{name}_1", strides, first_rate)
    branch = layers.ReLU(name=f"{name}_1_relu")(branch)
    branch = _conv_bn(branch, width, 3, f"{name}_2", dilation_rate=rate)
    if strides > 1 or x.shape[-1] != width:
        x = _conv_bn(x, width, 1, f"{name}_project", strides)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, branch]))


def _conv_bn(x: "KerasTensor", width: int, kernel: int, name: str, strides: int = 1,
             dilation_rate: int = 1) -> "KerasTensor":
    # Padded alike on all sides: "same" would shift a convolution with strides against the shortcut.
    if kernel > 1:
        x = layers.ZeroPadding2D(kernel // 2 * dilation_rate, name=f"{name}_pad")(x)
    x = layers.Conv2D(width, kernel, strides=strides, dilation_rate=dilation_rate, use_bias=False,
                      kernel_initializer="he_normal", name=f"{name}_conv")(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


encoders.register("resnet18", normalisation=TORCH, corner_grid=True)(partial(resnet, depths=(2, 2, 2, 2)))
encoders.register("resnet34", normalisation=TORCH, corner_grid=True)(partial(resnet, depths=(3, 4, 6, 3)))
