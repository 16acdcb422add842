"""The network as it is exported: in float32, for one size of picture or for any."""

import keras

from segnet_hpu.errors import UsageError
from segnet_hpu.models.encoder_stages import with_roles
from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from segnet_hpu.models.roles import role_of, roles, set_roles


def in_float32(model: keras.Model) -> bool:
    """Whether every layer of the model computes in float32."""
    return all(layer.compute_dtype == "float32" for layer in model.layers)


def twin(model: keras.Model, free_size: bool = False) -> keras.Model:
    """Return a copy of a functional model with its weights, whose layers all compute in float32.

    free_size: the copy's height and width are None. Raises UsageError where layers are bound to one size.
    """
    if free_size:
        # Their windows, or the way they split a map, follow from the size that the network was built for.
        _refuse(model, [layer for layer in with_roles(model).layers
                        if isinstance(layer, (MaxPoolingWithMask, Unpooling)) or role_of(layer).fraction])
    sides = (None, None) if free_size else model.input_shape[1:3]
    image = keras.Input((*sides, model.input_shape[3]), name="image", dtype="float32")
    copy = keras.models.clone_model(model, input_tensors=image, clone_function=_layer_in_float32)
    if free_size:
        _refuse(model, [layer for layer in copy.layers if _has_sides(layer)])
    copy.set_weights(model.get_weights())
    return set_roles(copy, roles(model))


def _layer_in_float32(layer: keras.Layer) -> keras.Layer:
    config = layer.get_config()
    if "dtype" in config:
        config["dtype"] = "float32"
    return type(layer).from_config(config)


def _has_sides(layer: keras.Layer) -> bool:
    """Whether a layer gives a map of one height and width, though the picture's are unknown."""
    shapes = [one.shape for one in keras.tree.flatten(layer.output)]
    return any(len(shape) == 4 and any(side not in (None, 1) for side in shape[1:3]) for shape in shapes)


def _refuse(model: keras.Model, bound: list[keras.Layer]) -> None:
    if bound:
        _, height, width, _ = model.input_shape
        raise UsageError(f"--free_size: {model.name} takes {height}x{width} only, because its layer {bound[0].name} "
                         f"({type(bound[0]).__name__}) is made for that size; leave --free_size out")
