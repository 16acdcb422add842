"""Which non-linear functions a network applies, and behind which layers: the half of it that no weight says."""

from collections import Counter
from collections.abc import Iterator

import keras
from keras import layers

LAYERS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.ELU, layers.PReLU, layers.Softmax)
IGNORED = ("name", "dtype", "trainable", "axis", "shared_axes", "activation")


def activations(model: keras.Model) -> dict[str, list[str]]:
    """Return {name of a layer with weights: the functions that its output goes through, its own first}.

    Also under "": those that other outputs go through, such as sums.
    """
    behind: dict[str, list[str]] = {layer.name: list(_own(layer)) for layer in model.layers if layer.weights}
    makers = {id(output): layer.name for layer in model.layers if layer.weights
              for output in keras.tree.flatten(layer.output)}
    for layer in model.layers:
        if isinstance(layer, LAYERS):
            behind.setdefault(makers.get(id(layer.input), ""), []).extend(_function(layer))
    return behind


def all_activations(model: keras.Model) -> Counter[str]:
    """Return how often a network applies each function."""
    return Counter(function for functions in activations(model).values() for function in functions)


def _own(layer: keras.Layer) -> Iterator[str]:
    function = getattr(layer, "activation", None)
    if function is not None and function is not keras.activations.linear:
        yield getattr(function, "__name__", type(function).__name__)


def _function(layer: keras.Layer) -> Iterator[str]:
    """The function of a layer of LAYERS, with its options where it is no plain ReLU."""
    if isinstance(layer, layers.Activation):
        yield from _own(layer)
        return
    config = layer.get_config().items()
    options = [f"{name}={value}" for name, value in config
               if name not in IGNORED and value and isinstance(value, int | float)]
    yield type(layer).__name__.lower() + (f"({', '.join(options)})" if options else "")
