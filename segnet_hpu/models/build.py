"""Put an encoder and a decoder together, or take a whole network."""

import inspect

import keras
from keras import layers

from segnet_hpu.errors import UsageError
from segnet_hpu.models.decoders import DECODERS
from segnet_hpu.models.encoders import ENCODERS
from segnet_hpu.models.networks import NETWORKS
from segnet_hpu.models.registry import divisor, find, input_size
from segnet_hpu.models.roles import input_layer, mark, mark_stages


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
        mark_stages(features)
        logits = DECODERS[spec.decoder](features, n_classes, **options)
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    model = keras.Model(image, logits, name=name)
    mark(input_layer(model), divisor=divisor(spec, options.get("level")))
    return model


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
    return mark(layers.Rescaling(list(scale) if isinstance(scale, tuple) else scale, offset=list(offset),
                                 dtype="float32", name="normalise"), normalises=True)
