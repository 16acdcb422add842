"""Set a model to the weights of a .caffemodel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.caffe.layer_weights import convert
from segnet_hpu.interchange.caffe.match import batch_norms, match, whole_normalisers
from segnet_hpu.interchange.caffe.reader import Layer


@dataclass
class Imported:
    """What became of the layers with weights, by name.

    taken: the model's that were set from the file. merged: the model's batch norms that the file has merged
    into their convolutions; they change nothing now. unset: the model's that stayed as they were.
    unused: the file's that the model has no place for.
    """

    taken: list[str]
    merged: list[str]
    unset: list[str]
    unused: list[str]


def import_weights(model: keras.Model, file: Sequence[Layer], path: StrPath) -> Imported:
    """Set the layers of `model` that a .caffemodel knows by name; return an Imported.

    file: the Layers from read_caffemodel; their network takes BGR, ours RGB, so the first
    kernel's inputs are turned round. path: the file's name, for errors.
    Raises UsageError, and changes nothing, if a shape does not fit or nothing has a counterpart.
    """
    file = whole_normalisers(file)
    pairs = match(model, file)
    weighted = {layer.name: layer for layer in model.layers if layer.weights}
    if not pairs:
        held = _some(layer.name for layer in file if layer.blobs)
        raise UsageError(f"{path} has no layer of {model.name}: it holds {held}; {model.name} has {_some(weighted)}; "
                         "give the model that the file was made for")
    values = {name: convert(weighted[name], source, path) for name, source in pairs.items()}
    _move_biases(model, values, path)
    first = next(iter(weighted))
    if first in values:
        values[first]["kernel"] = values[first]["kernel"][:, :, ::-1]
    for name, arrays in values.items():
        weighted[name].set_weights([arrays[w.name] for w in weighted[name].weights])
    used = {id(source) for source in pairs.values()}
    return Imported([name for name in weighted if pairs.get(name)],
                    [name for name in weighted if name in pairs and not pairs[name]],
                    [name for name in weighted if name not in pairs],
                    [layer.name for layer in file if layer.blobs and id(layer) not in used])


def _move_biases(model: keras.Model, values: Mapping[str, dict[str, np.ndarray]], path: StrPath) -> None:
    """Take a bias for which our convolution has no place off the mean of the batch norm behind it."""
    norm_of = {convolution: norm for norm, convolution in batch_norms(model).items()}
    for name, arrays in values.items():
        layer = model.get_layer(name)
        if "bias" in arrays and not layer.use_bias:
            bias = arrays.pop("bias")
            if name in norm_of:
                values[norm_of[name]]["moving_mean"] -= bias
            elif bias.any():
                raise UsageError(f"{path}: {name} has a bias; that of {model.name} has none")


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:6] + ["..."] * (len(names) > 6))
