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
    It marks the stages of its encoder. offset, scale: as an Encoder has them.
    """

    build: Callable
    offset: tuple[float, ...]
    scale: float


RAW = (0.0, 0.0, 0.0)  # no mean is subtracted

NETWORKS = {
    "unet_mini": Network(unet_mini, CAFFE_OFFSET, 1.0),
    "pspnet_50": Network(partial(pspnet, blocks=6), CAFFE_OFFSET, 1.0),
    "pspnet_101": Network(partial(pspnet, blocks=23), CAFFE_OFFSET, 1.0),
    "segnet_basic": Network(segnet_basic, RAW, 1.0),
    "segnet_vgg16": Network(segnet_vgg16, RAW, 1.0),
    "enet": Network(enet, RAW, 1.0),
}
