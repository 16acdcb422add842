"""Caffe's blobs as the weights of a Keras layer."""

from collections.abc import Iterable, Sequence

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.caffe.reader import Layer

Shape = Sequence[int]


def convert(layer: keras.Layer, source: Layer | None, path: StrPath) -> dict[str, np.ndarray]:
    """Return {weight's name: float array of its shape} for a Keras layer; `bias` also where the layer has none.

    source: the Layer of the file, or None for a batch norm that shall change nothing. path: for errors.
    Raises UsageError, naming the layer and the shapes, if they do not fit.
    """
    wanted = {w.name: tuple(w.shape) for w in layer.weights}
    values: dict[str, np.ndarray | None]
    if isinstance(layer, keras.layers.BatchNormalization):
        values = _batch_norm(layer, source)
    else:
        assert source is not None
        kernel, *bias = source.blobs
        if isinstance(layer, keras.layers.PReLU):
            values = {"alpha": _prelu(kernel, wanted["alpha"])}
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            values = {"kernel": _transposed_kernel(kernel, source.groups)}
        else:
            values = {"kernel": _kernel(kernel, source.groups, wanted["kernel"], layer.groups)}
        if bias:
            values["bias"] = bias[0].ravel()
        elif "bias" in wanted:
            values["bias"] = np.zeros(wanted["bias"], np.float32)
    fitting = {name: value for name, value in values.items()
               if value is not None and value.shape == wanted.get(name, value.shape)}
    if source is not None and len(fitting) < len(values):
        groups = f" in {source.groups} groups" if source.groups > 1 else ""
        held = _shapes(blob.shape for blob in source.blobs)
        raise UsageError(f"{path}: layer {source.name} holds {held}{groups} in Caffe's order, {layer.name} takes "
                         f"{_shapes(wanted.values())} in Keras'; give the model and classes the file was made for")
    return fitting


def _kernel(blob: np.ndarray, groups: int, shape: Shape, our_groups: int) -> np.ndarray | None:
    """(filters, inputs, height, width), or an inner product's (filters, inputs * height * width), to (h, w, i, f)."""
    height, width, inputs, filters = shape
    turned = (filters, inputs, height, width)
    flat = blob.size == np.prod(shape) and blob.shape[-2:] == (filters, inputs * height * width)
    fits = groups == our_groups and (blob.shape == turned or flat)
    return blob.reshape(turned).transpose(2, 3, 1, 0) if fits else None


def _transposed_kernel(blob: np.ndarray, groups: int) -> np.ndarray | None:
    """(inputs, filters / groups, height, width) to (h, w, f, i), with zeros between the groups."""
    if blob.ndim != 4 or len(blob) % groups:
        return None
    inputs, filters, height, width = blob.shape
    dense = np.zeros((groups, inputs // groups, groups, filters, height, width), np.float32)
    for group, part in enumerate(np.split(blob, groups)):
        dense[group, :, group] = part
    return dense.reshape(inputs, groups * filters, height, width).transpose(2, 3, 1, 0)


def _prelu(blob: np.ndarray, shape: Shape) -> np.ndarray | None:
    """One slope a channel, or one for all."""
    return np.broadcast_to(blob.ravel(), shape) if blob.size in (1, shape[-1]) else None


def _batch_norm(layer: keras.layers.BatchNormalization, source: Layer | None) -> dict[str, np.ndarray | None]:
    """Statistics and an affine map; where the file holds the map alone, the statistics change nothing."""
    shape = layer.weights[0].shape
    mean, variance, epsilon = np.zeros(shape), np.full(shape, 1 - layer.epsilon), layer.epsilon
    affine = source.blobs if source else []
    if source and source.type == "BatchNorm":
        if len(source.blobs) < 3:
            return dict.fromkeys(w.name for w in layer.weights)
        sums, affine, epsilon = source.blobs[:3], source.blobs[3:], source.epsilon
        count = float(sums[2].ravel()[0])
        # Caffe keeps sums of both, and their weight; a weight of 0 stands for a layer never trained.
        mean, variance = (s.ravel() / count if count else np.zeros(s.size) for s in sums[:2])
    elif source and len(affine) == 4:  # the BN of PSPNet's authors' fork: the map, then the statistics themselves
        mean, variance, epsilon = affine[2].ravel(), affine[3].ravel(), source.epsilon
    gamma = affine[0].ravel() if affine else np.ones(mean.shape)
    beta = affine[1].ravel() if len(affine) > 1 else np.zeros(mean.shape)
    if gamma.shape == variance.shape:
        # Ours and Caffe's epsilon differ: the scale makes up for it.
        gamma = gamma * np.sqrt((variance + layer.epsilon) / (variance + epsilon))
    return {"gamma": gamma, "beta": beta, "moving_mean": mean, "moving_variance": variance}


def _shapes(shapes: Iterable[Shape]) -> str:
    return ", ".join("x".join(map(str, shape)) for shape in shapes)
