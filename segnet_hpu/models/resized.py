"""The same network, with the same weights, for pictures of another size."""

import math
import re

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.registry import divisor_of

# Layers whose windows are fractions of a whole map: of PSPNet's pyramids and of DeepLab's image pooling.
FRACTIONS = re.compile(r"pyramid\d_(pool|up)|conv5_3_pool\d|aspp_image_up")


def scaled_size(model, scale):
    """Return the (height, width) that the model can take nearest to `scale` times its own."""
    return tuple(_nearest(side, scale * side, divisor_of(model.name)) for side in model.input_shape[1:3])


def resized_model(model, size):
    """Return a model that shares the layers, and so the weights, of `model`, for input of `size` (y, x).

    model: functional, one input (B, H, W, C). Windows that are fractions of a map grow with it. Raises
    UsageError where the network does not work at that size.
    """
    own = model.input_shape[1:3]
    if tuple(size) == own:
        return model
    step = divisor_of(model.name)
    for new, old in zip(size, own, strict=True):
        if (new - old) % step:
            # Floors of halves would shift the maps against each other.
            raise UsageError(f"{model.name} cannot take {size[0]}x{size[1]} pixels; expected sides that differ from "
                             f"{own[0]}x{own[1]} by multiples of {step}")
    ratio = [new / old for new, old in zip(size, own, strict=True)]
    image = keras.Input((*size, model.input_shape[3]), dtype=model.inputs[0].dtype, name=model.inputs[0].name)
    try:
        resized = keras.models.clone_model(model, input_tensors=image,
                                           clone_function=lambda layer: _for_ratio(layer, ratio))
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{model.name}, which takes {own[0]}x{own[1]} pixels, cannot take {size[0]}x{size[1]} "
                         f"({reason})") from error
    resized.equalises = getattr(model, "equalises", False)  # see inference.inputs
    return resized


def _nearest(side, wanted, divisor):
    """The side nearest to `wanted`, a whole number of steps from `side`, which the network takes."""
    # A side that can be halved as often as the network's own suits all options of a decoder.
    step = math.lcm(divisor, min(side & -side, 32))
    return side + max(round((wanted - side) / step), -((side - 1) // step)) * step


def _for_ratio(layer, ratio):
    """The layer itself, or a copy whose sizes in pixels are scaled."""
    if not isinstance(layer, layers.Resizing) and not FRACTIONS.fullmatch(layer.name):
        return layer
    config = layer.get_config()
    if isinstance(layer, layers.Resizing):
        config["height"], config["width"] = _scaled((config["height"], config["width"]), ratio)
    for key in {"pool_size", "strides", "size"} & set(config):
        config[key] = _scaled(config[key], ratio)
    return type(layer).from_config(config)


def _scaled(sides, ratio):
    return tuple(round(side * r) for side, r in zip(sides, ratio, strict=True))
