"""Set a model to the weights of a .caffemodel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from segnet_hpu.errors import UsageError, warn
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.caffe.layer_weights import convert
from segnet_hpu.interchange.caffe.match import FUNCTIONS, batch_norms, functions_behind, match, whole_normalisers
from segnet_hpu.interchange.caffe.reader import Layer
from segnet_hpu.models.activations import activations
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.normalisation import set_normalisation

CONVOLUTIONS = ("Convolution", "Deconvolution", "InnerProduct")


@dataclass
class Imported:
    """What became of the layers with weights, by name.

    taken: the model's that were set from the file. merged: the model's batch norms that the file has merged
    into their convolutions; they change nothing now. unset: the model's that stayed as they were.
    unused: the file's that the model has no place for. normalisation: of pictures, where the file says it.
    """

    taken: list[str]
    merged: list[str]
    unset: list[str]
    unused: list[str]
    normalisation: Normalisation | None = None


def import_weights(model: keras.Model, file: Sequence[Layer], path: StrPath) -> Imported:
    """Set the layers of `model` that a .caffemodel knows by name; return an Imported.

    file: the Layers from read_caffemodel; their network takes BGR, ours RGB, so the first
    kernel's inputs are turned round. path: the file's name, for errors. Pictures are normalised as a layer of data in
    the file has it, if there is one. Raises UsageError, and changes nothing, if a shape does not fit, a layer is
    followed by another function than in the file, or nothing has a counterpart.
    """
    whole, file = file, whole_normalisers(file)
    pairs = match(model, file)
    weighted = {layer.name: layer for layer in model.layers if layer.weights}
    if not pairs:
        held = _some(layer.name for layer in file if layer.blobs)
        raise UsageError(f"{path} has no layer of {model.name}: it holds {held}; {model.name} has {_some(weighted)}; "
                         "give the model that the file was made for")
    values = {name: convert(weighted[name], source, path) for name, source in pairs.items()}
    _move_biases(model, values, path)
    _refuse_other_functions(model, pairs, whole, path)
    _refuse_broken(values, path)
    first = next(iter(weighted))
    normalisation = _normalisation(whole, model.input_shape[-1], path) if first in values else None
    if normalisation:
        set_normalisation(model, normalisation)
    if first in values:
        values[first]["kernel"] = values[first]["kernel"][:, :, ::-1]
    for name, arrays in values.items():
        weighted[name].set_weights([arrays[w.name] for w in weighted[name].weights])
    used = {id(source) for source in pairs.values()}
    return Imported([name for name in weighted if pairs.get(name)],
                    [name for name in weighted if name in pairs and not pairs[name]],
                    [name for name in weighted if name not in pairs],
                    [layer.name for layer in file if layer.blobs and id(layer) not in used], normalisation)


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


def _refuse_other_functions(model: keras.Model, pairs: Mapping[str, Layer | None], file: Sequence[Layer],
                            path: StrPath) -> None:
    """Refuse a file whose maps are rectified elsewhere; of the classifier's nothing is asked."""
    if not any(layer.type in FUNCTIONS for layer in file):
        return  # of weights alone
    here, norm_of = activations(model), {convolution: norm for norm, convolution in batch_norms(model).items()}
    for name, source in list(pairs.items())[:-1]:
        if source is None or source.type not in CONVOLUTIONS:
            continue
        ours = here[name] + (here[norm_of[name]] if name in norm_of else [])
        theirs = functions_behind(source, file)
        if ours != theirs:
            raise UsageError(f"{path}: {' and '.join(theirs) or 'no function'} follows layer {source.name}, "
                             f"{' and '.join(ours) or 'none'} follows {name} of {model.name}; give the model that "
                             "the file was made for")


def _refuse_broken(values: Mapping[str, dict[str, np.ndarray]], path: StrPath) -> None:
    for name, arrays in values.items():
        for weight, array in arrays.items():
            if not np.isfinite(array).all():
                raise UsageError(f"{path}: the numbers for {weight} of {name} come to NaN or infinity; copy the file "
                                 "anew from where it comes from")


def _normalisation(file: Sequence[Layer], channels: int, path: StrPath) -> Normalisation | None:
    """What the file's first layer of data makes of pictures, for RGB; None where none says it."""
    layer = next((layer for layer in file if layer.means or layer.scale != 1 or layer.mean_file), None)
    if layer is None:
        return None
    if layer.mean_file:
        warn(f"{path}: {layer.mean_file}, a mean picture, was taken off its pictures; here the model's mean is")
        return None
    if len(layer.means) not in (0, 1, channels):
        raise UsageError(f"{path}: layer {layer.name} has {len(layer.means)} means; expected {channels}, one a "
                         "channel")
    means = np.broadcast_to(layer.means or 0.0, channels)[::-1]
    return Normalisation(tuple((-means * layer.scale).tolist()), layer.scale)


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:6] + ["..."] * (len(names) > 6))
