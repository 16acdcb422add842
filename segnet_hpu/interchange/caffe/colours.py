"""Networks of Caffe see blue, green, red; ours see red, green, blue."""

import numpy as np

# ENet puts the picture itself, made smaller, behind its first feature maps: what reads them there.
READ_THE_PICTURE = {"enet": ("bn0_1", "prelu0_1", "conv1_0_0", "conv1_0_4")}


def turn_colours(model, values):
    """Turn round the last three of the channels that are a picture's, in the weights {layer: {name: array}}.

    These are the inputs of the model's first layer with weights, and of those that are known besides.
    """
    first = next(layer.name for layer in model.layers if layer.weights)
    for name in (first, *READ_THE_PICTURE.get(model.name, ())):
        arrays = values.get(name, {})
        for weight in arrays.keys() - ({"bias"} if "kernel" in arrays else set()):
            axis = 2 if weight == "kernel" else -1
            order = np.arange(arrays[weight].shape[axis])
            order[-3:] = order[-3:][::-1]
            arrays[weight] = np.take(arrays[weight], order, axis)
