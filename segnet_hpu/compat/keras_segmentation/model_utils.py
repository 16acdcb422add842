"""keras_segmentation's `model_utils`: copying weights, and models of a user's own layers."""

from typing import Any

import keras
from keras import layers

from segnet_hpu.compat.keras_segmentation.models import with_methods
from segnet_hpu.compat.keras_segmentation.softmax import subtracted_means
from segnet_hpu.errors import UsageError
from segnet_hpu.models.roles import mark


def transfer_weights(m1: keras.Model, m2: keras.Model, verbose: bool = True) -> None:
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


def get_segmentation_model(input: keras.KerasTensor, output: keras.KerasTensor) -> keras.Model:
    """Return a model with keras_segmentation's methods from a user's own symbolic input and scores.

    input: (H, W, C); as there it gets RGB with ImageNet's means subtracted, which the returned model does itself.
    output: scores (h, w, n_classes) without softmax. The model, of the user's own layers, maps raw RGB to logits.
    """
    body = keras.Model(input, output)
    image = keras.Input(body.input_shape[1:], name=_free("image", body))
    offset = [-mean for mean in subtracted_means(image.shape[-1])]
    rescaling = layers.Rescaling(1.0, offset=offset, dtype="float32", name=_free("normalise", body))
    normalised = mark(rescaling, normalises=True)(image)

    def call(layer: layers.Layer, *inputs: Any, **options: Any) -> Any:
        return layer(*keras.tree.map_structure(lambda x: normalised if x is image else x, inputs), **options)

    # Flat, rather than the body as one layer: what resizes, samples or exports a model goes through its layers.
    scores = keras.models.clone_model(body, image, clone_function=lambda layer: layer, call_function=call).output
    logits = layers.Activation("linear", dtype="float32", name=_free("logits", body))(scores)
    return with_methods(keras.Model(image, logits, name="own"))


def _free(name: str, body: keras.Model) -> str | None:
    """The name, or None, for Keras to choose one, where a layer that stays has it."""
    taken = {layer.name for layer in body.layers if not isinstance(layer, layers.InputLayer)}
    return None if name in taken else name
