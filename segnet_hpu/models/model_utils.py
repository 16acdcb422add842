"""keras_segmentation's `model_utils`: copying weights, and models of a user's own layers."""

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.all_models import with_methods
from segnet_hpu.models.softmax import subtracted_means


def transfer_weights(m1, m2, verbose=True):
    """Copy the weights of m1's layers, in order, to those of m2 that have the same shapes.

    verbose: print how many were copied and left. Raises UsageError unless both have as many layers.
    """
    if len(m1.layers) != len(m2.layers):
        raise UsageError(f"{m1.name} has {len(m1.layers)} layers and {m2.name} {len(m2.layers)}; expected as many. "
                         "`segnet-hpu train --init_from` matches layers by name instead")
    pairs = [(source, target) for source, target in zip(m1.layers, m2.layers, strict=True)
             if source.weights or target.weights]
    fitting = [(source, target) for source, target in pairs
               if [w.shape for w in source.weights] == [w.shape for w in target.weights]]
    for source, target in fitting:
        target.set_weights(source.get_weights())
    if verbose:
        print(f"Copied weights of {len(fitting)} layers and skipped {len(pairs) - len(fitting)} layers")


def get_segmentation_model(input, output):
    """Return a model with keras_segmentation's methods from a user's own symbolic input and scores.

    input: (H, W, C); as there it gets RGB with ImageNet's means subtracted, which the returned model does itself.
    output: scores (h, w, n_classes) without softmax. The model maps raw RGB to logits.
    """
    body = keras.Model(input, output, name="body")
    _, height, width, channels = body.input_shape
    offset = [-mean for mean in subtracted_means(channels)]
    image = keras.Input((height, width, channels), name="image")
    scores = body(layers.Rescaling(1.0, offset=offset, dtype="float32", name="normalise")(image))
    logits = layers.Activation("linear", dtype="float32", name="logits")(scores)
    return with_methods(keras.Model(image, logits, name="own"))
