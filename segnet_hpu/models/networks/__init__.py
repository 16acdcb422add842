"""Whole networks: those that are no encoder with a decoder."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """What a model needs to know of a network.

    build: (normalised image (B, H, W, C), n_classes, **its own options) -> logits (B, h, w, n_classes).
    offset, scale, stages: as an Encoder has them.
    """

    build: Callable
    offset: tuple[float, ...]
    scale: float
    stages: tuple[str, ...] = ()


NETWORKS = {}
