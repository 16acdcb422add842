"""Layers that Keras lacks; importing them makes files that hold them readable."""

from segnet_hpu.models.layers.pooling import MaxPoolingWithMask, Unpooling
from segnet_hpu.models.layers.response_norm import LocalResponseNormalization

__all__ = ["LocalResponseNormalization", "MaxPoolingWithMask", "Unpooling"]
