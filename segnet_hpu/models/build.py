"""Put an encoder and a decoder together."""

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.decoders import DECODERS
from segnet_hpu.models.encoders import ENCODERS
from segnet_hpu.models.registry import find, input_size


def build_model(name, n_classes, input_height=None, input_width=None, channels=3, **decoder_options):
    """Return a functional Keras model `name` from the registry, with fresh weights.

    Input: raw RGB (B, H, W, channels), values 0..255. The model normalises it itself.
    Output: logits (B, h, w, n_classes), float32, at the decoder's output stride.
    decoder_options: of the decoder, such as use_upsampling; they win over the registry's.
    The layers follow the dtype policy that is in force. Raises UsageError for an unknown
    name or a size the model cannot take.
    """
    spec = find(name)
    height, width = input_size(name, input_height, input_width)
    if n_classes < 1:
        raise UsageError(f"n_classes is {n_classes}; expected at least 1")
    encoder = ENCODERS[spec.encoder]
    image = keras.Input((height, width, channels), name="image", dtype="float32")
    x = _normalise(encoder, channels)(image)
    logits = DECODERS[spec.decoder](encoder.build(x), n_classes, **spec.decoder_options, **decoder_options)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(image, logits, name=name)


def _normalise(encoder, channels):
    offset = encoder.offset
    if channels != len(offset):
        # No published mean exists for other channel counts: centre on the mean of the known ones.
        offset = (sum(offset) / len(offset),) * channels
    # float32, because bfloat16 cannot hold the fractions of the means beside values up to 255.
    return layers.Rescaling(encoder.scale, offset=list(offset), dtype="float32", name="normalise")


def freeze_stages(model, n_stages):
    """Keep the first `n_stages` stages of the model's encoder from training.

    Raises UsageError if the encoder has fewer stages.
    """
    stages = ENCODERS[find(model.name).encoder].stages
    if n_stages > len(stages):
        raise UsageError(f"--freeze_stages is {n_stages}; the encoder of {model.name} has {len(stages)}")
    for layer in model.layers:
        if layer.name.startswith(stages[:n_stages]):
            layer.trainable = False
