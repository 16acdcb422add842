"""Networks without layers of ours, as Keras reads them where this package is not installed."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import keras

from segnet_hpu.models.layers.pooling import MaxPoolingWithMask, Unpooling
from segnet_hpu.models.layers.response_norm import LocalResponseNormalization

OURS = (MaxPoolingWithMask, Unpooling, LocalResponseNormalization)
# A twin stays good as long as its network lives: both share the weights.
_twins: WeakKeyDictionary[keras.Model, keras.Model] = WeakKeyDictionary()


def our_layers(network: keras.Model) -> dict[str, dict[str, Any]]:
    """Return the configurations of the layers that are none of Keras' own, by name."""
    return {layer.name: keras.saving.serialize_keras_object(layer) for layer in network.layers
            if isinstance(layer, OURS)}


def plain_twin(network: keras.Model) -> keras.Model:
    """Return a functional model that shares the layers of `network`, without what it was compiled with.

    In place of each layer of ours it has a model of Keras' own operations that computes the same.
    """
    if network not in _twins:
        twin = keras.Model(network.input, network.output, name=network.name)
        _twins[network] = _exchanged(twin, {layer.name: _operations(layer) for layer in twin.layers
                                            if isinstance(layer, OURS)})
    return _twins[network]


def with_our_layers(network: keras.Model, configurations: Mapping[str, dict[str, Any]]) -> keras.Model:
    """Return a plain twin's network again, of the configurations that our_layers gave."""
    return _exchanged(network, {name: keras.saving.deserialize_keras_object(configuration)
                                for name, configuration in configurations.items()})


def _exchanged(network: keras.Model, exchanged: Mapping[str, keras.Layer]) -> keras.Model:
    """The network with other layers in place of some, by the names of these."""
    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        if layer.name in exchanged:
            options.pop("mask", None)  # which models are called with, and layers of ours do not take
        return layer(*inputs, **options)

    return network if not exchanged else keras.models.clone_model(
        network, clone_function=lambda layer: exchanged.get(layer.name, layer), call_function=call)


def _operations(layer: keras.Layer) -> keras.Model:
    """The operations of a layer's call, as a model."""
    inputs = keras.tree.map_structure(
        lambda x: keras.Input(x.shape[1:], dtype=layer.compute_dtype if "float" in x.dtype else x.dtype), layer.input)
    return keras.Model(inputs, layer.call(inputs), name=layer.name)
