"""Whole networks: those that are no encoder with a decoder."""

from collections.abc import Callable
from dataclasses import dataclass

from segnet_hpu.models.networks.enet import enet
from segnet_hpu.models.networks.segnet import segnet_basic, segnet_vgg16


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

NETWORKS = {
    "segnet_basic": Network(segnet_basic, RAW, 1.0, tuple(f"conv{i}" for i in range(1, 5))),
    "segnet_vgg16": Network(segnet_vgg16, RAW, 1.0, tuple(rf"conv{i}_\d(_bn)?$" for i in range(1, 6))),
    "enet": Network(enet, RAW, 1.0, tuple(f"(conv|bn|prelu){i}_" for i in range(4))),
}
