"""Pretrained encoders: the files that Keras publishes, and VGG16 from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.hdf5 import open_weights
from segnet_hpu.interchange.published import PUBLISHED
from segnet_hpu.interchange.vgg16 import load_vgg16
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.registry import find

if TYPE_CHECKING:
    import keras
    import numpy as np


def load_encoder(model: keras.Model, source: str) -> list[str]:
    """Set the encoder of `model`, as far as the model uses it, to pretrained weights.

    source: "imagenet" (downloads Keras' file once, checked by size and checksum), "hed" (a VGG16, see
    load_vgg16), or the path of such a file. Returns the names of the layers that were set.
    Raises UsageError if the model's encoder has no published weights or the file does not fit, RunError
    if it cannot be downloaded. The weights take 3 input channels; for others they are refused.
    """
    encoder = encoder_of(model)
    if encoder is None:
        raise UsageError(f"--encoder_weights {source}: {model.name} has no encoder with published weights "
                         f"({', '.join(PUBLISHED)}); expected random")
    if encoder == "vgg16":
        return load_vgg16(model, source)
    if source == "hed":
        raise UsageError(f"--encoder_weights hed is a VGG16, {model.name} has a {encoder}; "
                         "expected imagenet, random or a file")
    path = PUBLISHED[encoder].fetch() if source == "imagenet" else Path(source)
    if not path.is_file():
        raise UsageError(f"--encoder_weights {path}: no such file; expected imagenet, random, or Keras' .h5 of "
                         f"{encoder}")
    return _copy(path, encoder, model)


def encoder_of(model: keras.Model) -> str | None:
    """Return the name of the model's encoder if weights of it are published, else None.

    A network that is none of the registry's has a VGG16 if its layers are named so.
    """
    try:
        encoder = find(model.name).encoder
    except UsageError:
        encoder = None
    if encoder is None and any(layer.name in ("block1_conv1", "conv1_1") for layer in model.layers):
        encoder = "vgg16"
    return encoder if encoder in PUBLISHED else None


def _copy(path: Path, encoder: str, model: keras.Model) -> list[str]:
    """Let Keras read the file into its own network, and take from that what the model has."""
    application = encoders.find(encoder).traits["application"]
    network = application.original()
    try:
        open_weights(path).close()
        network.load_weights(path)
    except Exception as error:  # of h5py's and Keras' many kinds over damaged bytes
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UsageError(f"{path} is no weight file of {encoder} ({reason}); expected Keras' no-top .h5") from None
    ours = {layer.name: layer for layer in model.layers}
    chosen: dict[str, list[np.ndarray]] = {}
    for layer, name in application.layers(network):
        if layer.weights and name in ours:
            weights = layer.get_weights()
            if not chosen and PUBLISHED[encoder].bgr:
                weights[0] = weights[0][:, :, ::-1]  # ours is an RGB network
            _refuse_other_shapes(path, ours[name], weights)
            chosen[name] = weights
    for name, weights in chosen.items():
        ours[name].set_weights(weights)
    return list(chosen)


def _refuse_other_shapes(path: Path, layer: keras.Layer, weights: Sequence[np.ndarray]) -> None:
    found, expected = [w.shape for w in weights], [tuple(w.shape) for w in layer.weights]
    if found != expected:
        raise UsageError(f"{path}: {layer.name} holds {found[0]}, the model needs {expected[0]}; "
                         "pretrained weights take 3 input channels; --encoder_weights random takes any")
