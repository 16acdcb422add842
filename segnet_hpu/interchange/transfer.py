"""Start from another network's weights, as far as they fit."""

import os

import keras

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.match import match, whole_normalisers
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model


def transfer_weights(model: keras.Model, path: StrPath) -> str:
    """Set every layer of `model` that has a namesake of the same shapes in a checkpoint; return one line about it.

    path: a checkpoint, or a .caffemodel of the same network. So a network for other classes keeps all but its
    classifier. Raises UsageError, and changes nothing, if
    less than half of the model's layers fit.
    """
    other, theirs = _of_caffe(model, path) if str(path).endswith(".caffemodel") else _of_checkpoint(path)
    weighted = [layer for layer in model.layers if layer.weights]
    fits = [layer for layer in weighted
            if layer.name in theirs and _shapes(layer) == _shapes(theirs[layer.name])]
    left = [_why(layer, theirs.get(layer.name)) for layer in weighted if layer not in fits]
    if 2 * len(fits) < len(weighted):
        raise UsageError(f"--init_from {path}: only {len(fits)} of {len(weighted)} layers of {model.name} have a "
                         f"counterpart of their shape in this {other.name}; expected at least half: give a "
                         f"checkpoint of {model.name}, or of a model with its encoder")
    for layer in fits:
        layer.set_weights(theirs[layer.name].get_weights())
    parameters = f"{sum(layer.count_params() for layer in fits):,} of {model.count_params():,} parameters"
    return (f"{path}: took {len(fits)} of {len(weighted)} layers, {parameters}; "
            f"left at random: {', '.join(left) or 'none'}")


def _of_checkpoint(path: StrPath) -> tuple[keras.Model, dict[str, keras.Layer]]:
    """Return a network and {name: layer with weights}."""
    other = load(os.fspath(path)).network
    return other, {layer.name: layer for layer in other.layers if layer.weights}


def _of_caffe(model: keras.Model, path: StrPath) -> tuple[keras.Model, dict[str, keras.Layer]]:
    """The same of `model`'s own network, with as many classes as the file has, and its layers that the file knows."""
    file = read_caffemodel(path)
    last = [layer for layer in model.layers if layer.weights][-1]
    classifier = match(model, whole_normalisers(file)).get(last.name)
    n_classes = len(classifier.blobs[0]) if classifier else model.output_shape[-1]
    other = build_model(model.name, n_classes, *model.input_shape[1:3])
    unset = import_weights(other, file, path).unset
    return other, {layer.name: layer for layer in other.layers if layer.weights and layer.name not in unset}


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in layer.weights]


def _why(layer: keras.Layer, other: keras.Layer | None) -> str:
    if other is None:
        return f"{layer.name} (not in the file)"
    ours, theirs = ("x".join(map(str, _shapes(one)[0])) for one in (layer, other))
    return f"{layer.name} ({ours}, the file has {theirs})"
