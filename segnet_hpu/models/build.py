"""Put an encoder and a decoder together, or take a whole network."""

import re

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.decoders import DECODERS
from segnet_hpu.models.encoders import ENCODERS
from segnet_hpu.models.networks import NETWORKS
from segnet_hpu.models.registry import find, input_size


def build_model(name, n_classes, input_height=None, input_width=None, channels=3, **options):
    """Return a functional Keras model `name` from the registry, with fresh weights.

    Input: raw RGB (B, H, W, channels), values 0..255. The model normalises it itself.
    Output: logits (B, h, w, n_classes), float32, at the decoder's output stride.
    options: of the decoder or network, such as use_upsampling; they win over the registry's.
    The layers follow the dtype policy that is in force. Raises UsageError for an unknown
    name or a size the model cannot take.
    """
    spec = find(name)
    height, width = input_size(name, input_height, input_width)
    if n_classes < 1:
        raise UsageError(f"n_classes is {n_classes}; expected at least 1")
    options = spec.options | options
    body = NETWORKS[spec.network] if spec.network else ENCODERS[spec.encoder]
    image = keras.Input((height, width, channels), name="image", dtype="float32")
    x = _normalise(body, channels)(image)
    if spec.network:
        logits = body.build(x, n_classes, **options)
    else:
        logits = DECODERS[spec.decoder](body.build(x), n_classes, **options)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(image, logits, name=name)


def _normalise(body, channels):
    offset = body.offset
    if channels != len(offset):
        # No published mean exists for other channel counts: centre on the mean of the known ones.
        offset = (sum(offset) / len(offset),) * channels
    # float32, because bfloat16 cannot hold the fractions of the means beside values up to 255.
    return layers.Rescaling(body.scale, offset=list(offset), dtype="float32", name="normalise")


def freeze_stages(model, n_stages):
    """Keep the first `n_stages` stages of the model's encoder from training.

    Raises UsageError if the encoder has fewer stages.
    """
    spec = find(model.name)
    stages = (NETWORKS[spec.network] if spec.network else ENCODERS[spec.encoder]).stages
    if n_stages > len(stages):
        raise UsageError(f"--freeze_stages is {n_stages}; the encoder of {model.name} has {len(stages)}")
    for layer in model.layers:
        if any(re.match(stage, layer.name) for stage in stages[:n_stages]):
            layer.trainable = False
