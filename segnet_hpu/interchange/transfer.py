"""Start from another network's weights: all of them, or as far as they fit.

Weights mean what they meant only where pictures are normalised and maps are rectified as there. How pictures are
normalised comes along with the first layer; layers that another function follows are refused.
"""

import os
from collections.abc import Sequence

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.match import match, whole_normalisers
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.interchange.load import load
from segnet_hpu.models.activations import activations, all_activations
from segnet_hpu.models.build import build_model
from segnet_hpu.models.normalisation import normalisation, set_normalisation, words
from segnet_hpu.models.trained_model import InputCoding, TrainedModel
from segnet_hpu.options import as_text


def copy_weights(model: keras.Model, path: StrPath, coding: InputCoding,
                 class_names: Sequence[str] | None = None) -> str | None:
    """Set the model to all weights of a checkpoint, and let it normalise pictures as that does.

    coding: of the pictures that the model will be given. class_names: of its classes, where they have some. Returns
    one line where their files are read otherwise or their classes have other names, else None. Raises UsageError, and
    changes nothing, unless every shape fits, the same functions follow the layers, and pictures are coded alike.
    """
    trained = load(os.fspath(path))
    other = trained.network
    flag = f"--load_weights {path}"
    for ours, theirs in zip(model.weights, other.weights, strict=False):
        if ours.shape != theirs.shape:
            raise UsageError(f"{flag}: {theirs.path} has shape {tuple(theirs.shape)}, "
                             f"{model.name} needs {tuple(ours.shape)}; give the model and classes it was made with")
    if len(model.weights) != len(other.weights) or len(_weighted(model)) != len(_weighted(other)):
        raise UsageError(f"{flag} is a {other.name} of {len(other.weights)} weights; "
                         f"{model.name} has {len(model.weights)}")
    _refuse_other_functions(flag, model, other)
    different = _different_coding(trained.input_coding, coding)
    if different:
        raise UsageError(f"{flag}: its pictures had {different}; give the settings it was made with, or start from "
                         "it by --init_from")
    set_normalisation(model, normalisation(other))
    for ours, theirs in zip(_weighted(model), _weighted(other), strict=True):
        ours.set_weights(_for_epsilon(theirs, ours))
    different = _different_reading(trained, coding)
    told = [f"its pictures had {different}"] if different else []
    told += _other_classes(trained, class_names)
    return f"{path}: {'; '.join(told)}" if told else None


def transfer_weights(model: keras.Model, path: StrPath, coding: InputCoding | None = None,
                     class_names: Sequence[str] | None = None) -> str:
    """Set every layer of `model` that has a namesake of the same shapes in a checkpoint; return one line about it.

    path: a checkpoint, or a .caffemodel of the same network. coding: of the pictures that the model will be given.
    class_names: of its classes, where they have some. So a network for other classes keeps all but its classifier.
    Layers that another function follows there are left as they are. Raises UsageError, and changes nothing, if less
    than half of the model's layers fit.
    """
    other, theirs = _of_caffe(model, path) if str(path).endswith(".caffemodel") else _of_checkpoint(path)
    weighted, network = _weighted(model), other.network
    reasons = {layer.name: _why_not(layer, theirs.get(layer.name)) for layer in weighted}
    here, there = activations(model), activations(network)
    for name in (name for name, reason in reasons.items() if not reason and here[name] != there[name]):
        reasons[name] = f"{_functions(here[name])} follows, there {_functions(there[name])}"
    fits = [layer for layer in weighted if not reasons[layer.name]]
    if 2 * len(fits) < len(weighted):
        raise UsageError(f"--init_from {path}: only {len(fits)} of {len(weighted)} layers of {model.name} have a "
                         f"counterpart of their shape in this {network.name}; expected at least half: give a "
                         f"checkpoint of {model.name}, or of a model with its encoder")
    normalises = weighted[0] in fits and set_normalisation(model, normalisation(network))
    for layer in fits:
        layer.set_weights(_for_epsilon(theirs[layer.name], layer))
    parameters = f"{sum(layer.count_params() for layer in fits):,} of {model.count_params():,} parameters"
    left = [f"{name} ({reason})" for name, reason in reasons.items() if reason]
    different = coding and ", ".join(filter(None, [_different_coding(other.input_coding, coding),
                                                   _different_reading(other, coding)]))
    return (f"{path}: took {len(fits)} of {len(weighted)} layers, {parameters}; "
            f"left at random: {', '.join(left) or 'none'}"
            + (f"; pictures are normalised as there: {words(normalisation(model))}" if normalises else "")
            + (f"; its pictures had {different}" if different else "")
            + "".join(f"; {words}" for words in _other_classes(other, class_names)))


def _of_checkpoint(path: StrPath) -> tuple[TrainedModel, dict[str, keras.Layer]]:
    """Return a trained model and {name: layer with weights}."""
    other = load(os.fspath(path))
    return other, {layer.name: layer for layer in _weighted(other.network)}


def _of_caffe(model: keras.Model, path: StrPath) -> tuple[TrainedModel, dict[str, keras.Layer]]:
    """The same of `model`'s own network, with as many classes as the file has, and its layers that the file knows."""
    file = read_caffemodel(path)
    classifier = match(model, whole_normalisers(file)).get(_weighted(model)[-1].name)
    n_classes = len(classifier.blobs[0]) if classifier else model.output_shape[-1]
    other = build_model(model.name, n_classes, *model.input_shape[1:3])
    unset = import_weights(other, file, path).unset
    return TrainedModel.of(other), {layer.name: layer for layer in _weighted(other) if layer.name not in unset}


def _weighted(model: keras.Model) -> list[keras.Layer]:
    return [layer for layer in model.layers if layer.weights]


def _shapes(layer: keras.Layer) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in layer.weights]


def _why_not(layer: keras.Layer, other: keras.Layer | None) -> str:
    """Why a layer cannot have another's weights; "" where it can."""
    if other is None:
        return "not in the file"
    if _shapes(layer) == _shapes(other):
        return ""
    ours, theirs = ("x".join(map(str, _shapes(one)[0])) for one in (layer, other))
    return f"{ours}, the file has {theirs}"


def _refuse_other_functions(flag: str, model: keras.Model, other: keras.Model) -> None:
    """Refuse a network whose weights all fit and which is another none the less."""
    here, there = activations(model), activations(other)
    for ours, theirs in zip(_weighted(model), _weighted(other), strict=True):
        if here[ours.name] != there[theirs.name]:
            raise UsageError(f"{flag}: {_functions(there[theirs.name])} follows {theirs.name} there, "
                             f"{_functions(here[ours.name])} in {model.name}; give the --model_options it was made "
                             "with, or start from what fits by --init_from")
    counts = all_activations(other) - all_activations(model), all_activations(model) - all_activations(other)
    if any(counts):
        more, less = (_functions(list(count.elements())) for count in counts)
        raise UsageError(f"{flag}: its network has {more} where {model.name} has {less}; give the model it was made "
                         "with")


def _functions(names: Sequence[str]) -> str:
    return " and ".join(names) or "no function"


def _different_coding(theirs: InputCoding, ours: InputCoding) -> str:
    """What of their pictures is not so in ours, in words."""
    words = {"equalises": "CLAHE", "bit_depth": "bits a channel", "value_range": "values"}
    differs = [f"{words[name]} {_plain(getattr(theirs, name))}, here {_plain(getattr(ours, name))}" for name in words
               if getattr(theirs, name) != getattr(ours, name)]
    return ", ".join(differs)


def _different_reading(theirs: TrainedModel, ours: InputCoding) -> str:
    """What else than in ours becomes of their image files on the way to such pictures, in words."""
    ranges, coding = (theirs.input_coding.files.image_range, ours.files.image_range), theirs.input_coding
    differs = [f"--image_range {as_text(ranges[0])}, here {as_text(ranges[1])}"] if ranges[0] != ranges[1] else []
    if theirs.made_with and coding.downsampling != ours.downsampling:  # of files that others wrote nothing is known
        differs.append(f"--image_downsampling {coding.downsampling}, here {ours.downsampling}")
    return ", ".join(differs)


def _other_classes(theirs: TrainedModel, ours: Sequence[str] | None) -> list[str]:
    """Words on as many classes with other names or in another order, of which the scores of each are kept."""
    names = theirs.class_names
    if not names or not ours or len(names) != len(ours) or list(names) == list(ours):
        return []
    number = next(i for i, (their, our) in enumerate(zip(names, ours, strict=True)) if their != our)
    return [f"its class {number} is {names[number]}, here {ours[number]}: the weights of a class stay at its number"]


def _plain(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _for_epsilon(theirs: keras.Layer, ours: keras.Layer) -> list[np.ndarray]:
    """Their weights; of a batch normalisation with another epsilon those that make ours compute the same."""
    norms = [layer for layer in (theirs, ours) if isinstance(layer, keras.layers.BatchNormalization) and layer.scale]
    if len(norms) < 2 or theirs.epsilon == ours.epsilon:
        return theirs.get_weights()
    weights = dict(zip((w.name for w in theirs.weights), theirs.get_weights(), strict=True))
    variance = weights["moving_variance"]
    weights["gamma"] = weights["gamma"] * np.sqrt((variance + ours.epsilon) / (variance + theirs.epsilon))
    return list(weights.values())
