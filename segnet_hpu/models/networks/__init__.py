"""Whole networks: those that are no encoder with a decoder."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from segnet_hpu.models.encoders.normalisation import CAFFE_OFFSET
from segnet_hpu.models.networks.enet import enet
from segnet_hpu.models.networks.pspnet import pspnet
from segnet_hpu.models.networks.segnet import segnet_basic, segnet_vgg16
from segnet_hpu.models.networks.unet_mini import unet_mini


@dataclass(frozen=True)
class Network:
    """What a model needs to know of a network.

    build: (normalised image (B, H, W, C), n_classes, **its own options) -> logits (B, h, w, n_classes).
    offset, scale: as an Encoder has them. stages: patterns (re.match) of layer names, from the image inwards.
    """

    build: Callable
    offset: tuple[float, ...]
    scale: float
    stages: tuple[str, ...] = ()


RAW = (0.0, 0.0, 0.0)  # no mean is subtracted
# The fifth's names begin as those of what pools its output.
PSPNET_STAGES = (*(f"conv{i}_" for i in range(1, 5)), r"conv5_\d_(1x1|3x3)")

NETWORKS = {
    "unet_mini": Network(unet_mini, CAFFE_OFFSET, 1.0, tuple(f"stage{i}_" for i in range(1, 4))),
    "pspnet_50": Network(partial(pspnet, blocks=6), CAFFE_OFFSET, 1.0, PSPNET_STAGES),
    "pspnet_101": Network(partial(pspnet, blocks=23), CAFFE_OFFSET, 1.0, PSPNET_STAGES),
    "segnet_basic": Network(segnet_basic, RAW, 1.0, tuple(f"conv{i}" for i in range(1, 5))),
    "segnet_vgg16": Network(segnet_vgg16, RAW, 1.0, tuple(rf"conv{i}_\d(_bn)?$" for i in range(1, 6))),
    "enet": Network(enet, RAW, 1.0, tuple(f"(conv|bn|prelu){i}_" for i in range(4))),
}
