"""Checkpoints that keras_segmentation wrote: PREFIX_config.json beside the weights PREFIX.0, PREFIX.1, ...

The weights are HDF5, or TensorFlow's checkpoint format (PREFIX.0.index, PREFIX.0.data-...), as Keras had it.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.hdf5 import array, open_weights
from segnet_hpu.models.registry import find

if TYPE_CHECKING:
    import keras
    import numpy as np

Weights: TypeAlias = "dict[str, list[np.ndarray]]"  # by layers' names, in Keras' order

# Layers that keras_segmentation leaves to Keras to name: those are told apart by their order.
UNNAMED = re.compile(r"(conv2d|batch_normalization|conv2d_transpose)(_\d+)?")
CONFIGURATION = ("model_class", "n_classes", "input_height", "input_width")
MOST_CLASSES, LARGEST_SIDE = 256, 2**15  # ids of a label of 8 bits; pixels
# The order in which Keras lists a layer's weights.
WEIGHTS = ("depthwise_kernel", "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")


def find_weights(path: StrPath) -> Path | None:
    """Return the newest weights of a prefix, or `path` itself if it names weights; None if it is neither.

    Of TensorFlow's format the name without .index is returned, which no file has.
    """
    path = Path(path)
    path = path.with_name(path.name.removesuffix(".index"))
    if re.search(r"\.\d+$", path.name) and _config(path).is_file():
        return path
    return newest_weights(path) if Path(f"{path}_config.json").is_file() else None


def newest_weights(prefix: StrPath) -> Path | None:
    """Return PREFIX.N of the highest N that there is, in either format, or None."""
    path = Path(prefix)
    stems = {p.name.removesuffix(".index") for p in path.parent.glob("*") if p.name.startswith(f"{path.name}.")}
    numbers = [int(stem[len(path.name) + 1:]) for stem in stems if re.fullmatch(r"\.\d+", stem[len(path.name):])]
    return path.with_name(f"{path.name}.{max(numbers)}") if numbers else None


def _config(path: Path) -> Path:
    return path.with_name(re.sub(r"\.\d+$", "", path.name) + "_config.json")


def load_checkpoint(path: StrPath) -> keras.Model:
    """Return the model, logits out, that the weights `path` and the PREFIX_config.json beside them make.

    It normalises as keras_segmentation does, whatever its encoder, and so answers the same. Raises UsageError
    for a damaged or foreign file, and where the weights do not fit the model that the configuration names.
    """
    path = Path(path)
    return make_model(path, *_configuration(_config(path)))


def _configuration(path: Path) -> tuple[str, int, int, int]:
    """Return (model's name, n_classes, height, width) of PREFIX_config.json. Raises UsageError where it is none."""
    try:
        config = json.loads(path.read_text())
        name, n_classes, height, width = (config[key] for key in CONFIGURATION)
        if not (isinstance(name, str) and _within(n_classes, MOST_CLASSES) and _within(height, LARGEST_SIDE)
                and _within(width, LARGEST_SIDE)):
            raise ValueError(f"model_class {name!r}, n_classes {n_classes!r}, {height!r}x{width!r} pixels")
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error)[:200] or type(error).__name__
        raise UsageError(f"{path} is no configuration of keras_segmentation ({reason}); expected "
                         f"{', '.join(CONFIGURATION[:-1])} and {CONFIGURATION[-1]}") from None
    return name, n_classes, height, width


def refuse_replaced_configuration(prefix: StrPath, model: keras.Model) -> None:
    """Raise UsageError where weights PREFIX.N lie that PREFIX_config.json, written for `model`, would not fit."""
    config, weights = Path(f"{prefix}_config.json"), newest_weights(prefix)
    if weights is None or not config.is_file():
        return
    name, n_classes, height, width = _configuration(config)
    if (name, n_classes, height, width) != (model.name, model.output_shape[-1], *model.input_shape[1:3]):
        raise UsageError(f"{weights} holds weights of a {name} of {n_classes} classes and {height}x{width} pixels, "
                         f"which can be read only as long as {config} says so; choose another --checkpoints_path")


def _within(value: Any, largest: int) -> bool:
    return isinstance(value, int) and 1 <= value <= largest


def make_model(path: StrPath, name: str, n_classes: int, input_height: int, input_width: int) -> keras.Model:
    """Return keras_segmentation's model `name` with the weights `path`; as load_checkpoint, without the .json."""
    from segnet_hpu.models.build import build_model
    from segnet_hpu.models.encoders.normalisation import CAFFE
    from segnet_hpu.models.normalisation import set_normalisation

    theirs = read_weights(path)
    options = {"relu": not _is_linear(theirs)} if find(name).decoder == "unet" else {}
    model = build_model(name, n_classes, input_height, input_width, **options)
    set_normalisation(model, CAFFE)
    set_weights(model, theirs, path)
    return model


def read_weights(path: StrPath) -> Weights:
    """Return {layer name: [arrays in Keras' order]} in the order of the layers. Raises UsageError."""
    path = Path(path)
    try:
        return _read_hdf5(path) if path.is_file() else _read_tensorflow(path)
    except Exception as error:  # of h5py's and TensorFlow's many kinds over damaged bytes
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{path} holds no weights of Keras ({reason}); expected an HDF5 file, or {path.name}.index "
                         f"and {path.name}.data-... of TensorFlow; copy them anew") from None


def _read_hdf5(path: Path) -> Weights:
    with open_weights(path) as file:
        groups = file.get("model_weights", file)  # a whole model has its weights in there
        layers = {}
        for name in map(_text, groups.attrs["layer_names"]):
            weights = [array(groups[name], _text(weight)) for weight in groups[name].attrs["weight_names"]]
            if weights:
                layers[name] = weights
    return layers


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _read_tensorflow(path: Path) -> Weights:
    import tensorflow as tf
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        reader = tf.train.load_checkpoint(str(path))
        _refuse_absurd(path, reader)
        graph = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    except tf.errors.OpError as error:
        raise OSError(error.message) from None
    found: dict[int, dict[int, tuple[str, np.ndarray]]] = {}
    for attribute in (a for node in graph.nodes for a in node.attributes):
        # Optimizer's and metrics' variables have other keys; the full name has the layer's.
        key = re.fullmatch(r"layer_with_weights-(\d+)/(\w+)/\.ATTRIBUTES/VARIABLE_VALUE", attribute.checkpoint_key)
        if key:
            layer = found.setdefault(int(key[1]), {})
            layer[WEIGHTS.index(key[2])] = attribute.full_name.split("/")[0], reader.get_tensor(key[0])
    layers = {}
    for _, parts in sorted(found.items()):
        weights = [parts[i] for i in sorted(parts)]
        layers[weights[0][0]] = [value for _, value in weights]
    return layers


def _refuse_absurd(path: Path, reader: Any) -> None:
    """Raise ValueError where an index declares more numbers than its files have."""
    types = reader.get_variable_to_dtype_map()
    declared = sum(float(math.prod(shape)) * types[name].size for name, shape in
                   reader.get_variable_to_shape_map().items() if types[name].name != "string")
    size = sum(file.stat().st_size for file in path.parent.glob(f"{path.name}.data-*"))
    if declared > size:
        raise ValueError(f"its index declares {declared:.3g} bytes of numbers, its data files have {size:,}")


def _is_linear(theirs: Weights) -> bool:
    """Whether a U-Net is of release 0.3.0, whose decoder has no ReLU.

    The file does not say; but the mean of what is rectified, which batch normalisation keeps, is never negative.
    """
    means = [weights[2] for name, weights in theirs.items() if UNNAMED.fullmatch(name) and len(weights) == 4]
    return any((mean < 0).any() for mean in means[-4:])


def set_weights(model: keras.Model, theirs: Weights, source: StrPath) -> None:
    """Set every layer of `model` from {layer name: [arrays]} of keras_segmentation's network of that name.

    Layers that it names are matched by name, the others in order, by the shapes of their weights. source:
    where they come from, for errors. Raises UsageError unless both have the same layers.
    """
    theirs = {_our_name(name): weights for name, weights in theirs.items()}
    if "bn_conv1" in theirs:  # a ResNet's, not MobileNet's, which has a conv1 too
        theirs["conv1_conv"], theirs["conv1_bn"] = theirs.pop("conv1"), theirs.pop("bn_conv1")
    chosen = []
    for layer in (layer for layer in model.layers if layer.weights):
        shapes = [tuple(w.shape) for w in layer.weights]
        fitting = [name for name, weights in theirs.items() if [w.shape for w in weights] == shapes]
        own = re.sub(r"^stage\d_", "", layer.name)
        name = own if own in fitting else next(filter(UNNAMED.fullmatch, fitting), None)
        if name is None:
            raise UsageError(f"{source} has no weights of {'x'.join(map(str, shapes[0]))} left for {layer.name} of "
                             f"{model.name}; expected a checkpoint of it with {model.output_shape[-1]} classes")
        chosen.append((layer, theirs.pop(name)))
    if theirs:
        raise UsageError(f"{source} has layers that {model.name} has not: {', '.join(theirs)}")
    for layer, weights in chosen:
        layer.set_weights(weights)


def _our_name(name: str) -> str:
    """keras_segmentation's ResNet-50 has Keras' old names: res2a_branch2b is conv2_block1_2_conv today."""
    match = re.fullmatch(r"(res|bn)(\d)([a-f])_branch(1|2[abc])", name)
    if not match:
        return name
    kind, stage, block, branch = match.groups()
    number = 0 if branch == "1" else "abc".index(branch[1]) + 1
    return f"conv{stage}_block{ord(block) - 96}_{number}_{'conv' if kind == 'res' else 'bn'}"
