"""A model of logits as keras_segmentation's users see it."""

import keras
from keras import layers

from segnet_hpu.models.encoders.normalisation import CAFFE


def subtracted_means(channels: int) -> list[float]:
    """Return the means that get_image_array subtracts: of B, G and R, as far as they go, turned round."""
    means = [-offset for offset in reversed(CAFFE.offset)] + [0.0] * channels
    return means[:channels][::-1]


def softmax_model(model: keras.Model) -> keras.Model:
    """Return a Keras model that shares the weights of `model`, with keras_segmentation's input and output.

    model: raw RGB (B, H, W, C), 0..255, to logits (B, h, w, n_classes).
    Input: float32 (B, H, W, C) as `get_image_array(..., ordering="channels_last")` makes it, ImageNet's means
    subtracted. Output: softmax float32 (B, h * w, n_classes). It fits `image_segmentation_generator`'s batches
    and Keras' categorical_crossentropy.
    """
    means = subtracted_means(model.input_shape[-1])
    array = keras.Input(model.input_shape[1:], name="array")
    raw = layers.Rescaling(1.0, offset=means, dtype="float32", name="raw")(array)
    scores = layers.Reshape((-1, model.output_shape[-1]), dtype="float32", name="pixels")(model(raw))
    return keras.Model(array, layers.Softmax(dtype="float32", name="softmax")(scores), name=f"{model.name}_softmax")
