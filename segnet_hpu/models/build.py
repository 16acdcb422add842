"""Put an encoder and a decoder together, or take a whole network."""

import re
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

import segnet_hpu.models.layers  # noqa: F401  Keras' layers then use PyTorch's operators
from segnet_hpu.components import Choice, Component, import_object
from segnet_hpu.constants import ONE_AND_BACKGROUND
from segnet_hpu.errors import UsageError, users_code
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.registry import Spec, divisor, find, input_size
from segnet_hpu.models.roles import AUTOMATIC, input_layer, mark, mark_stages, stable_name


def build_model(name: str | Callable[..., keras.Model], n_classes: int, input_height: int | None = None,
                input_width: int | None = None, channels: int = 3, *, align_maps: bool = True,
                **options: Any) -> keras.Model:
    """Return a functional Keras model `name` from the registry, with fresh weights.

    Input: raw RGB (B, H, W, channels), values 0..255. The model normalises it itself.
    Output: logits (B, h, w, n_classes), float32, at the decoder's output stride.
    align_maps: join the maps of encoders with strided odd kernels where they lie; False joins them as earlier
    releases did, up to 15 pixels aside.
    options: of the decoder or network, such as use_upsampling; they win over the registry's.
    A name MODULE:NAME, or a Python function, is a function (n_classes, height, width) -> such a model, which
    `models.roles` tells what its layers are for. The layers follow the dtype policy that is in force. Raises
    UsageError for an unknown name, a size the model cannot take or an option it does not have.
    """
    if n_classes < 2:
        raise UsageError(f"n_classes is {n_classes}; expected at least {ONE_AND_BACKGROUND}")
    if not isinstance(name, str) or ":" in name:
        return _own(name, n_classes, input_height, input_width)
    spec = find(name, align_maps)
    options = {**spec.options, **options}
    height, width = input_size(name, input_height, input_width, options.get("level"), align_maps)
    if channels < 1:
        raise UsageError(f"channels is {channels}; expected at least 1")
    _check_options(name, spec.body, options)
    image = keras.Input((height, width, channels), name="image", dtype="float32")
    x = _normalise(spec.normalisation, channels)(image)
    if spec.network:
        logits = spec.body.target(x, n_classes, **options)
    else:
        encoder = encoders.find(spec.encoder)
        features = encoder.target(x, output_stride=options.get("output_stride", 32), **_grid(spec, encoder))
        mark_stages(features)
        logits = spec.body.target(features, n_classes, **options, **_grid(spec, spec.body))
    logits = layers.Activation("linear", dtype="float32", name="logits")(logits)
    model = keras.Model(image, logits, name=name)
    mark(input_layer(model), divisor=divisor(spec, options.get("level")))
    return model


def _own(given: str | Callable[..., keras.Model], n_classes: int, height: int | None,
         width: int | None) -> keras.Model:
    expected = "a function (n_classes, height, width) -> functional keras.Model, raw RGB to logits"
    function = import_object(given, "--model_name", expected) if isinstance(given, str) else given
    name = given if isinstance(given, str) else str(Choice(given))
    with users_code(f"--model_name {name}", expected):
        model = function(n_classes, height, width)
    if not isinstance(model, keras.Model):
        raise UsageError(f"--model_name {name} made {model!r}; expected {expected}, {n_classes} classes")
    if stable_name(model.name) in AUTOMATIC:  # its number counts the models that this process has made
        model.name = re.sub(r"[^A-Za-z0-9_.-]", "", name.rpartition(":")[2]).lstrip("_-") or "model"
    refuse_unusable(model, f"--model_name {name} made")
    if model.output_shape[-1] != n_classes:
        raise UsageError(f"--model_name {name} made a model of {model.output_shape[-1]} classes; expected {expected}"
                         f", {n_classes} classes")
    return model


def refuse_unusable(model: keras.Model, what: str) -> None:
    """Raise UsageError for a model that is no functional one, of one picture to one map of logits.

    what: how the message begins.
    """
    if keras.config.backend() == "tensorflow" and not re.fullmatch(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*", model.name):
        raise UsageError(f"{what} a model with the name {model.name!r}; expected letters without accents, digits and "
                         "_, which TensorFlow takes, with a letter first")
    if isinstance(model, keras.Sequential):
        raise UsageError(f"{what} a keras.Sequential; expected a functional model, as keras.Model(model.inputs, "
                         "model.outputs) makes it of one that begins with keras.Input")
    if getattr(model, "inputs", None) is None:
        raise UsageError(f"{what} a {type(model).__name__}; expected a functional model, keras.Model(image, logits)")
    if len(model.inputs) != 1 or len(model.outputs) != 1 or len(model.output_shape) != 4:
        raise UsageError(f"{what} a model {[tuple(x.shape) for x in model.inputs]} -> "
                         f"{[tuple(x.shape) for x in model.outputs]}; expected one picture (B, H, W, channels) to "
                         "logits (B, h, w, n_classes)")


def _grid(spec: Spec, part: Component) -> dict[str, bool]:
    """What an encoder or a decoder is told of the grid that maps lie on, if it asks."""
    return {"corner_grid": True} if spec.corner_grid and "corner_grid" in part.parameters else {}


def _check_options(name: str, body: Component, options: dict[str, Any]) -> None:
    known = [name for name in list(body.parameters)[2:] if name != "corner_grid"]
    for option in options:
        if option not in known:
            raise UsageError(f"{name} has no option {option}; it has {', '.join(known) or 'none'}")


def _normalise(normalisation: Normalisation, channels: int) -> keras.Layer:
    """The layer that brings raw 0..255 to what the network wants."""
    offset, scale = normalisation
    if channels != len(offset):
        # No published statistics exist for other channel counts: take the mean of the known ones.
        offset = (sum(offset) / len(offset),) * channels
        scale = sum(scale) / len(scale) if isinstance(scale, tuple) else scale
    # float32, because bfloat16 cannot hold the fractions of the means beside values up to 255.
    return mark(layers.Rescaling(list(scale) if isinstance(scale, tuple) else scale, offset=list(offset),
                                 dtype="float32", name="normalise"), normalises=True)
