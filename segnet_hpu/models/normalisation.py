"""What a network makes of raw pixels before its first weights: `x * scale + offset`."""

from typing import Any

import keras
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.models.encoder_stages import normaliser
from segnet_hpu.models.encoders.normalisation import Normalisation


def rescaling(model: keras.Model) -> keras.Layer | None:
    """Return the layer that normalises; where the network does not say it, a Rescaling right behind its input."""
    return normaliser(model) or next((layer for layer in model.layers if isinstance(layer, keras.layers.Rescaling)
                                      and layer.input is model.inputs[0]), None)


def normalisation(model: keras.Model) -> Normalisation:
    """Return how a network normalises, a number a channel."""
    layer = rescaling(model)
    offset, scale = (0.0, 1.0) if layer is None else (layer.offset, layer.scale)
    if not {np.size(offset), np.size(scale)} <= {1, model.input_shape[-1]}:  # by a whole picture, say
        offset, scale = 0.0, 1.0
    return Normalisation(*(_per_channel(value, model) for value in (offset, scale)))


def set_normalisation(model: keras.Model, wanted: Normalisation) -> bool:
    """Let a network normalise as another does; return whether that is new to it.

    Raises UsageError for one without a layer for it.
    """
    offset, scale = (_per_channel(value, model) for value in wanted)
    if np.allclose(normalisation(model), (offset, scale), rtol=1e-6, atol=0):
        return False
    layer = rescaling(model)
    if layer is None:
        raise UsageError(f"{model.name} has no layer that normalises as {words(wanted)}; begin it with a Rescaling "
                         "layer")
    layer.offset, layer.scale = list(offset), list(scale) if len(set(scale)) > 1 else scale[0]
    return True


def _per_channel(value: Any, model: keras.Model) -> tuple[float, ...]:
    return tuple(np.broadcast_to(np.ravel(value).astype(float), model.input_shape[-1]).tolist())


def words(wanted: Normalisation) -> str:
    """Return a normalisation in words.

    >>> words(Normalisation((-1.0, -1.0, -1.0), 0.5))
    'pixel * 0.5 + (-1, -1, -1)'
    """
    scales = {f"{value:.6g}" for value in np.ravel(wanted.scale)}
    scale = scales.pop() if len(scales) == 1 else f"({', '.join(f'{value:.6g}' for value in np.ravel(wanted.scale))})"
    return f"pixel * {scale} + ({', '.join(f'{value:.6g}' for value in wanted.offset)})"
