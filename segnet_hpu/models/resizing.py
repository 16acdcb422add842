"""The same network, with the same weights, for pictures of another size."""

import math
from collections.abc import Sequence

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.encoder_stages import divisor_of, with_roles
from segnet_hpu.models.roles import role_of, roles, set_roles

# The largest stride of the maps that windows which are fractions of a map see or meet: PSPNet's, DeepLab's.
LARGEST_STRIDE = 16


def scaled_size(model: keras.Model, scale: float) -> tuple[int, int]:
    """Return the (height, width) that the model can take nearest to `scale` times its own."""
    height, width = (_nearest(side, scale * side, _step(model)) for side in model.input_shape[1:3])
    return height, width


def resized_model(model: keras.Model, size: tuple[int, int]) -> keras.Model:
    """Return a model that shares the layers, and so the weights, of `model`, for input of `size` (y, x).

    model: functional, one input (B, H, W, C). Windows that are fractions of a map grow with it. Raises
    UsageError where the network does not work at that size.
    """
    own = model.input_shape[1:3]
    if tuple(size) == own:
        return model
    step = _step(model)
    for new, old in zip(size, own, strict=True):
        if (new - old) % step:
            # Floors of halves would shift the maps against each other.
            raise UsageError(f"{model.name} cannot take {size[0]}x{size[1]} pixels; expected sides that differ from "
                             f"{own[0]}x{own[1]} by multiples of {step}")
    image = keras.Input((*size, model.input_shape[3]), dtype=model.inputs[0].dtype, name=model.inputs[0].name)
    try:
        resized = keras.models.clone_model(model, input_tensors=image,
                                           clone_function=lambda layer: _for_size(layer, size, own))
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{model.name}, which takes {own[0]}x{own[1]} pixels, cannot take {size[0]}x{size[1]} "
                         f"({reason})") from error
    return set_roles(resized, roles(model))


def _step(model: keras.Model) -> int:
    """The number of pixels by which the sides that a model takes differ, its maps then by whole pixels too."""
    fractions = any(role_of(layer).fraction for layer in with_roles(model).layers)
    return math.lcm(divisor_of(model) or 1, LARGEST_STRIDE if fractions else 1)


def _nearest(side: int, wanted: float, step: int) -> int:
    """The side nearest to `wanted`, a whole number of steps from `side`, which the network takes."""
    # A side that can be halved as often as the network's own suits all options of a decoder.
    step = math.lcm(step, min(side & -side, 32))
    return side + max(round((wanted - side) / step), -((side - 1) // step)) * step


def _for_size(layer: keras.Layer, new: tuple[int, int], old: tuple[int, int]) -> keras.Layer:
    """The layer itself, or a copy for pictures of the size `new` in place of `old`."""
    fraction = role_of(layer).fraction
    # A copy of a Concatenate: one that is built already would not see that its maps no longer fit.
    if not fraction and not isinstance(layer, (layers.Resizing, layers.Concatenate)):
        return layer
    config = layer.get_config()
    if isinstance(layer, layers.Resizing):
        config["height"], config["width"] = _moved((config["height"], config["width"]), new, old)
    elif fraction:
        for key in {"pool_size", "strides", "size"} & set(config):
            config[key] = _moved(config[key], new, old, fraction)
    return type(layer).from_config(config)


def _moved(sides: Sequence[int], new: tuple[int, int], old: tuple[int, int], bins: int = 1) -> tuple[int, ...]:
    """The sides of a map's nth parts where pictures have the size `new` in place of `old`.

    A map's side is a picture's side by its stride, a power of two, rounded by one layer or another: only the
    difference of two is exact.
    """
    return tuple((bins * side + round((n - o) / _stride(o, bins * side))) // bins
                 for side, n, o in zip(sides, new, old, strict=True))


def _stride(side: int, mapped: int) -> float:
    halved = next((2**n for n in range(side.bit_length()) if mapped in (side >> n, -(-side >> n))), None)
    return halved or (side / mapped if side % mapped == 0 else 2 ** round(math.log2(side / mapped)))
