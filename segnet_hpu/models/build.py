"""Put an encoder and a decoder together, or take a whole network."""

import inspect
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
    name, a size the model cannot take or an option it does not have.
    """
    spec = find(name)
    options = spec.options | options
    height, width = input_size(name, input_height, input_width, options.get("level"))
    if n_classes < 1 or channels < 1:
        what, value = ("n_classes", n_classes) if n_classes < 1 else ("channels", channels)
        raise UsageError(f"{what} is {value}; expected at least 1")
    _check_options(name, NETWORKS[spec.network].build if spec.network else DECODERS[spec.decoder], options)
    image = keras.Input((height, width, channels), name="image", dtype="float32")
    x = _normalise(_body(spec), channels)(image)
    if spec.network:
        logits = NETWORKS[spec.network].build(x, n_classes, **options)
    else:
        features = ENCODERS[spec.encoder].build(x, output_stride=options.get("output_stride", 32))
        logits = DECODERS[spec.decoder](features, n_classes, **options)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    return keras.Model(image, logits, name=name)


def _body(spec):
    return NETWORKS[spec.network] if spec.network else ENCODERS[spec.encoder]


def _check_options(name, build, options):
    known = list(inspect.signature(build).parameters)[2:]
    for option in options:
        if option not in known:
            raise UsageError(f"{name} has no option {option}; it has {', '.join(known) or 'none'}")


def _normalise(body, channels):
    """The layer that brings raw 0..255 to what the network wants."""
    offset, scale = body.offset, body.scale
    if channels != len(offset):
        # No published statistics exist for other channel counts: take the mean of the known ones.
        offset = (sum(offset) / len(offset),) * channels
        scale = sum(scale) / len(scale) if isinstance(scale, tuple) else scale
    # float32, because bfloat16 cannot hold the fractions of the means beside values up to 255.
    return layers.Rescaling(list(scale) if isinstance(scale, tuple) else scale, offset=list(offset),
                            dtype="float32", name="normalise")


def freeze_stages(model, n_stages):
    """Keep the first `n_stages` stages of the model's encoder from training.

    Raises UsageError if the encoder has fewer stages.
    """
    stages = _body(find(model.name)).stages
    if n_stages > len(stages):
        raise UsageError(f"--freeze_stages is {n_stages}; the encoder of {model.name} has {len(stages)}")
    for layer in _layers_of(model, stages[:n_stages]):
        layer.trainable = False


def decoder_variables(model):
    """Return the trainable variables of all layers that are not the model's encoder.

    Raises UsageError for a network that is none of the registry's.
    """
    try:
        stages = _body(find(model.name)).stages
    except UsageError:
        raise UsageError(f"--decoder_rate: {model.name} is no network of ours, so that its encoder is not known; "
                         "leave the flag out, or name the model as its like in `segnet-hpu models`") from None
    encoder = {id(v) for layer in _layers_of(model, stages) for v in layer.trainable_variables}
    return [v for v in model.trainable_variables if id(v) not in encoder]


def _layers_of(model, stages):
    return [layer for layer in model.layers if any(re.match(stage, layer.name) for stage in stages)]
