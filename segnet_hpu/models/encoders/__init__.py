"""Encoders: an image in, five feature maps out."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from segnet_hpu.models.encoders import applications
from segnet_hpu.models.encoders import normalisation as n
from segnet_hpu.models.encoders.normalisation import CAFFE_OFFSET
from segnet_hpu.models.encoders.resnet import resnet
from segnet_hpu.models.encoders.vanilla import vanilla
from segnet_hpu.models.encoders.vgg16 import vgg16

__all__ = ["CAFFE_OFFSET", "ENCODERS", "Encoder"]


@dataclass(frozen=True)
class Encoder:
    """What a model needs to know of an encoder.

    build: (normalised image (B, H, W, C), output_stride=32) -> feature maps f1..f5 at strides 2, 4, 8, 16
    and 32; what would go beyond `output_stride` is dilated instead.
    offset, scale: raw RGB 0..255 is normalised as `x * scale + offset`, per channel.
    """

    build: Callable
    offset: tuple[float, ...]
    scale: float | tuple[float, ...]


ENCODERS = {
    "vanilla": Encoder(vanilla, CAFFE_OFFSET, 1.0),
    "vgg16": Encoder(vgg16, CAFFE_OFFSET, 1.0),
    "resnet18": Encoder(partial(resnet, depths=(2, 2, 2, 2)), n.TORCH_OFFSET, n.TORCH_SCALE),
    "resnet34": Encoder(partial(resnet, depths=(3, 4, 6, 3)), n.TORCH_OFFSET, n.TORCH_SCALE),
    "resnet50": Encoder(applications.resnet50, CAFFE_OFFSET, 1.0),
    "resnet101": Encoder(applications.resnet101, CAFFE_OFFSET, 1.0),
    "mobilenet": Encoder(applications.mobilenet, n.TENSORFLOW_OFFSET, n.TENSORFLOW_SCALE),
    "mobilenet_v2": Encoder(applications.mobilenet_v2, n.TENSORFLOW_OFFSET, n.TENSORFLOW_SCALE),
    "xception": Encoder(applications.xception, n.TENSORFLOW_OFFSET, n.TENSORFLOW_SCALE),
    "efficientnet": Encoder(applications.efficientnet, n.TORCH_OFFSET, n.TORCH_SCALE),
}
