"""The same network, with the same weights, for pictures of another size."""

import math
import re

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.registry import divisor_of

# Layers whose windows are the nth part of a whole map: of PSPNet's pyramids, and of DeepLab's image pooling, n = 1.
FRACTIONS = re.compile(r"pyramid(\d)_(?:pool|up)|conv5_3_pool(\d)|aspp_image_up")
# The largest stride of the maps that these layers see or meet.
LARGEST_STRIDE = 16


def scaled_size(model, scale):
    """Return the (height, width) that the model can take nearest to `scale` times its own."""
    return tuple(_nearest(side, scale * side, _step(model)) for side in model.input_shape[1:3])


def resized_model(model, size):
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
        return keras.models.clone_model(model, input_tensors=image,
                                        clone_function=lambda layer: _for_size(layer, size, own))
    except (ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"{model.name}, which takes {own[0]}x{own[1]} pixels, cannot take {size[0]}x{size[1]} "
                         f"({reason})") from error


def _step(model):
    """The number of pixels by which the sides that a model takes differ, its maps then by whole pixels too."""
    fractions = any(FRACTIONS.fullmatch(layer.name) for layer in model.layers)
    return math.lcm(divisor_of(model) or 1, LARGEST_STRIDE if fractions else 1)


def _nearest(side, wanted, step):
    """The side nearest to `wanted`, a whole number of steps from `side`, which the network takes."""
    # A side that can be halved as often as the network's own suits all options of a decoder.
    step = math.lcm(step, min(side & -side, 32))
    return side + max(round((wanted - side) / step), -((side - 1) // step)) * step


def _for_size(layer, new, old):
    """The layer itself, or a copy for pictures of the size `new` in place of `old`."""
    fraction = FRACTIONS.fullmatch(layer.name)
    # A copy of a Concatenate: one that is built already would not see that its maps no longer fit.
    if not fraction and not isinstance(layer, (layers.Resizing, layers.Concatenate)):
        return layer
    config = layer.get_config()
    if isinstance(layer, layers.Resizing):
        config["height"], config["width"] = _moved((config["height"], config["width"]), new, old)
    elif fraction:
        bins = int(fraction[1] or fraction[2] or 1)
        for key in {"pool_size", "strides", "size"} & set(config):
            config[key] = _moved(config[key], new, old, bins)
    return type(layer).from_config(config)


def _moved(sides, new, old, bins=1):
    """The sides of a map's nth parts where pictures have the size `new` in place of `old`.

    A map's side is a picture's side by its stride, a power of two, rounded by one layer or another: only the
    difference of two is exact.
    """
    return tuple((bins * side + round((n - o) / _stride(o, bins * side))) // bins
                 for side, n, o in zip(sides, new, old, strict=True))


def _stride(side, mapped):
    return side / mapped if side % mapped == 0 else 2 ** round(math.log2(side / mapped))
