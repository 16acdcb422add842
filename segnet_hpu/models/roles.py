"""What layers are for, said on the layers themselves, so that their names mean nothing.

Keras' files have no place for it: TrainedModel keeps a table beside the network. A network of a user's own says what
it knows where it is built:

    features = [f1, f2, f3]                    # the encoder's maps, from the image inwards
    mark_stages(features)                      # --freeze_stages, --decoder_rate
    mark(layers.AveragePooling2D(window), fraction=6)  # its window is a sixth of a map: other sizes
    model = keras.Model(image, logits)
    mark(input_layer(model), divisor=32)       # both sides are multiples of 32: the nearest sizes
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from segnet_hpu.lazy import keras

ATTRIBUTE = "segnet_hpu_role"
AUTOMATIC = ("functional", "sequential")  # Keras's names of models that were given none


@dataclass(frozen=True)
class Role:
    """What a layer is for; 0 or False where it is nothing of the kind.

    stage: of the encoder's `stages`, counted from the image inwards, which it belongs to. fraction: n, of a pooling
    or enlarging window that is the nth part of a whole map. normalises: it brings raw 0..255 to what the network
    wants.
    divisor, of an input layer: the pixels by which the sides of the pictures that the network takes differ.
    """

    stage: int = 0
    stages: int = 0
    fraction: int = 0
    normalises: bool = False
    divisor: int = 0


def role_of(layer: keras.Layer) -> Role:
    """Return a layer's Role."""
    return getattr(layer, ATTRIBUTE, Role())


def mark(layer: keras.Layer, **values: Any) -> keras.Layer:
    """Set fields of a layer's Role; return the layer."""
    setattr(layer, ATTRIBUTE, replace(role_of(layer), **values))
    return layer


def mark_stages(features: Sequence[keras.KerasTensor]) -> None:
    """Make the layers that lead to each feature map, and to none before it, a stage of the encoder.

    features: symbolic maps, from the image inwards.
    """
    from segnet_hpu.runtime.keras_internals import operations_before

    for number, feature in enumerate(features, start=1):
        for layer in operations_before(feature):
            role = role_of(layer)
            if not (role.stage or role.normalises or isinstance(layer, keras.layers.InputLayer)):
                mark(layer, stage=number, stages=len(features))


def stable_name(name: str) -> str:
    """Return a model's name without the number that Keras counts up where none was given, as in functional_7."""
    bare = name.rstrip("0123456789").removesuffix("_")
    return bare if bare in AUTOMATIC else name


def input_layer(model: keras.Model) -> keras.Layer:
    """Return the model's first input layer."""
    return next(layer for layer in model.layers if isinstance(layer, keras.layers.InputLayer))


def roles(model: keras.Model) -> dict[str, dict[str, Any]]:
    """Return what the roles of the model's layers say, by the layers' names, as JSON takes it."""
    return {layer.name: {name: value for name, value in asdict(role_of(layer)).items() if value}
            for layer in model.layers if role_of(layer) != Role()}


def set_roles(model: keras.Model, table: Mapping[str, Mapping[str, Any]]) -> keras.Model:
    """Mark the layers of a model by what `roles` returned; return the model. Raises TypeError for unknown fields."""
    for layer in model.layers:
        if layer.name in table:
            mark(layer, **table[layer.name])
    return model
