"""Encoders: an image in, five feature maps out."""

from collections.abc import Callable
from dataclasses import dataclass

from segnet_hpu.models.encoders.vgg16 import vgg16


@dataclass(frozen=True)
class Encoder:
    """What a model needs to know of an encoder.

    build: normalised image (B, H, W, C) -> feature maps f1..f5.
    offset, scale: raw RGB 0..255 is normalised as `x * scale + offset`, per channel.
    stages: layer-name prefixes from the image inwards, for freezing.
    strides: of f1..f5.
    """

    build: Callable
    offset: tuple[float, ...]
    scale: float
    stages: tuple[str, ...]
    strides: tuple[int, ...] = (2, 4, 8, 16, 32)


# ImageNet means as Caffe's VGG16 subtracts them, here in RGB order.
CAFFE_OFFSET = (-123.68, -116.779, -103.939)

ENCODERS = {
    "vgg16": Encoder(vgg16, CAFFE_OFFSET, 1.0, tuple(f"block{i}_" for i in range(1, 6))),
}
