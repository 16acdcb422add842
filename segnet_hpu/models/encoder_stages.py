"""Which layers of a network are its encoder's: freezing them, and telling them from the decoder's."""

import math
import random
import weakref

import keras

from segnet_hpu.errors import UsageError
from segnet_hpu.models.cost import outline
from segnet_hpu.models.registry import find
from segnet_hpu.models.roles import Role, input_layer, role_of, roles, set_roles


def with_roles(model: keras.Model) -> keras.Model:
    """Return a model, its layers' roles set if none was and it is one of the registry, saved without them."""
    if any(role_of(layer) != Role() for layer in model.layers):
        return model
    try:
        spec = find(model.name)
    except UsageError:
        return model
    options = {}
    if "level" in spec.options:  # of which the name says nothing: the largest stride of the maps does
        least = min(keras.tree.flatten(layer.output)[0].shape[1] for layer in model.layers)
        options["level"] = min(max(round(math.log2(model.input_shape[1] / least)) - 1, 1), 4)
    state = random.getstate()  # a seeded run draws from it too, and is the same with and without
    set_roles(model, roles(outline(model.name, model.output_shape[-1], **options)))
    random.setstate(state)
    return model


def divisor_of(model: keras.Model) -> int | None:
    """Return the number of pixels by which the sides that a model takes differ; None where it does not say."""
    return role_of(input_layer(with_roles(model))).divisor or None


def normaliser(model: keras.Model) -> keras.Layer | None:
    """Return the Rescaling layer that brings raw pixels to what the network wants."""
    return next((layer for layer in with_roles(model).layers if role_of(layer).normalises), None)


# Layers that freeze_stages has frozen: a user's own may be frozen, and stay so.
_frozen: "weakref.WeakSet[keras.Layer]" = weakref.WeakSet()


def freeze_stages(model: keras.Model, n_stages: int) -> None:
    """Keep the first `n_stages` stages of the model's encoder from training, and no others that this has kept before.

    Raises UsageError if the encoder has fewer stages, or the model does not say which they are.
    """
    for layer in _frozen.intersection(model.layers):
        layer.trainable = True
        _frozen.discard(layer)
    if not n_stages:
        return
    stages = _stages(model, "--freeze_stages")
    if n_stages > stages:
        raise UsageError(f"--freeze_stages is {n_stages}; the encoder of {model.name} has {stages}")
    for layer in model.layers:
        if layer.trainable and 0 < role_of(layer).stage <= n_stages:
            layer.trainable = False
            _frozen.add(layer)


def decoder_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the trainable variables of all layers that are not the model's encoder.

    Raises UsageError for a network that does not say which layers its encoder has.
    """
    _stages(model, "--decoder_rate")
    encoder = {id(v) for layer in model.layers if role_of(layer).stage for v in layer.trainable_variables}
    return [v for v in model.trainable_variables if id(v) not in encoder]


def _stages(model: keras.Model, flag: str) -> int:
    """How many stages the model's encoder has."""
    stages = max(role_of(layer).stages for layer in with_roles(model).layers)
    if not stages:
        raise UsageError(f"{flag}: {model.name} is no network of ours and does not say which layers its encoder has; "
                         "call segnet_hpu.models.roles.mark_stages(feature maps) where it is built, or leave the "
                         "flag out")
    return stages
