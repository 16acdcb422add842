"""Layers that Keras lacks; importing them makes files that hold them readable, and Keras' own quick on PyTorch."""

import importlib

import keras

from segnet_hpu.models.layers.pooling import MaxPoolingWithMask, Unpooling
from segnet_hpu.models.layers.response_norm import LocalResponseNormalization

__all__ = ["LocalResponseNormalization", "MaxPoolingWithMask", "Unpooling"]

if keras.config.backend() == "torch":
    importlib.import_module("segnet_hpu.models.layers.on_torch").use_operators_of_torch()
