"""What a model costs: parameters and arithmetic, without making its weights."""

import math
from typing import Any

import keras
from keras import layers

from segnet_hpu.models.build import build_model


def outline(*args: Any, **options: Any) -> keras.Model:
    """Return build_model's model without values in its variables, which costs no memory; not to be called."""
    with keras.StatelessScope(initialize_variables=False):
        return build_model(*args, **options)


def parameters(model: keras.Model | keras.Layer) -> int:
    """Return a model's or layer's number of weights, batch normalisation's statistics included, as Keras counts."""
    return sum(math.prod(w.shape) for w in model.weights)


def layer_sizes(model: keras.Model) -> list[dict[str, Any]]:
    """Return a dict for each layer, in order: its name, its type, the size of its (first) map without the batch,
    and how many parameters it has.
    """
    return [{"layer": layer.name, "type": type(layer).__name__,
             "output": list(keras.tree.flatten(layer.output)[0].shape[1:]), "parameters": parameters(layer)}
            for layer in model.layers]


def gflops(model: keras.Model) -> float:
    """Return 1e9 floating-point operations of one image's forward pass: two for each multiply-add of the
    convolutions and dense layers; what the other layers do is little beside and not counted.
    """
    return sum(2 * _multiply_adds(layer) for layer in model.layers) / 1e9


def _multiply_adds(layer: keras.Layer) -> int:
    if not isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D,
                              layers.Conv2DTranspose, layers.Dense)):
        return 0
    # A transposed convolution spreads every pixel of its input, the others gather every pixel of their output.
    shape = layer.input.shape if isinstance(layer, layers.Conv2DTranspose) else layer.output.shape
    kernels = [w for w in layer.weights if "kernel" in w.name]
    return sum(math.prod(kernel.shape) for kernel in kernels) * math.prod(shape[1:-1])
