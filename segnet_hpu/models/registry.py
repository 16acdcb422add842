"""Every model by its name: which encoder and decoder, or which whole network, and which size by default.

Imports nothing heavy, so that a wrong name or size is refused at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from segnet_hpu.components import Component
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.networks import networks


@dataclass(frozen=True)
class Spec:
    """A registry line: an encoder with a decoder, or a network that is no such pair.

    divisor, remainder: both sides of the input divided by `divisor` must leave `remainder`, or, if `one_more`, 1.
    corner_grid: whether the encoder's maps lie on the corner grid, see models/encoders, and are joined there.
    options: of the decoder or network, those that a user may set, with their defaults.
    """

    encoder: str | None = None
    decoder: str | None = None
    network: str | None = None
    input_height: int = 416
    input_width: int = 608
    divisor: int = 32
    remainder: int = 0
    one_more: bool = False
    corner_grid: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> Component:
        """The decoder, or the whole network."""
        return networks.find(self.network) if self.network else decoders.find(self.decoder)

    @property
    def normalisation(self) -> Normalisation:
        """What the encoder, or the whole network, makes of raw pixels."""
        first = networks.find(self.network) if self.network else encoders.find(self.encoder)
        return first.traits["normalisation"]


def pair(encoder: str, decoder: str, corner_grid: bool = True, **options: Any) -> Spec:
    """Return the Spec of an encoder with a decoder, whose traits win; `options` win over the decoder's own.

    corner_grid: False joins the maps of an encoder on the corner grid as if they lay on the half-pixel grid.
    """
    first, last = encoders.find(encoder), decoders.find(decoder)
    corner_grid = corner_grid and bool(first.traits.get("corner_grid")) and "corner_grid" in last.parameters
    return _spec(first, last, options, encoder=encoder, decoder=decoder, corner_grid=corner_grid,
                 one_more=corner_grid and bool(last.traits.get("one_more")))


def whole(network: str, **options: Any) -> Spec:
    """Return the Spec of a whole network; `options` win over its own."""
    return _spec(networks.find(network), networks.find(network), options, network=network)


def _spec(first: Component, last: Component, options: Mapping[str, Any], **parts: Any) -> Spec:
    traits = {name: value for name, value in {**first.traits, **last.traits}.items()
              if name in ("input_height", "input_width", "divisor", "remainder")}
    defaults = {name: option.default for name, option in last.options.items()} | last.traits.get("defaults", {})
    return Spec(**parts, **traits, options=defaults | options)


# The first 22 are keras_segmentation's; its FCNs return n + stride pixels for n, so they are not aligned, and none
# looks where its maps lie.
MODELS = {
    "fcn_8": pair("vanilla", "fcn_8", aligned=False),
    "fcn_32": pair("vanilla", "fcn_32", aligned=False),
    "fcn_8_vgg": pair("vgg16", "fcn_8", aligned=False),
    "fcn_32_vgg": pair("vgg16", "fcn_32", aligned=False),
    "fcn_8_resnet50": pair("resnet50", "fcn_8", corner_grid=False, aligned=False),
    "fcn_32_resnet50": pair("resnet50", "fcn_32", corner_grid=False, aligned=False),
    "fcn_8_mobilenet": pair("mobilenet", "fcn_8", corner_grid=False, aligned=False),
    "fcn_32_mobilenet": pair("mobilenet", "fcn_32", corner_grid=False, aligned=False),
    "pspnet": pair("vanilla", "pspnet"),
    "vgg_pspnet": pair("vgg16", "pspnet"),
    "resnet50_pspnet": pair("resnet50", "pspnet", corner_grid=False),
    "pspnet_50": whole("pspnet_50"),
    "pspnet_101": whole("pspnet_101"),
    "unet_mini": whole("unet_mini"),
    "unet": pair("vanilla", "unet"),
    "vgg_unet": pair("vgg16", "unet"),
    "resnet50_unet": pair("resnet50", "unet", corner_grid=False),
    "mobilenet_unet": pair("mobilenet", "unet", corner_grid=False),
    "segnet": pair("vanilla", "segnet"),
    "vgg_segnet": pair("vgg16", "segnet"),
    "resnet50_segnet": pair("resnet50", "segnet", corner_grid=False),
    "mobilenet_segnet": pair("mobilenet", "segnet", corner_grid=False),
    "fcn_16": pair("vanilla", "fcn_16"),
    "fcn_8s_vgg": pair("vgg16", "fcn_8", sigma=0.01),
    "fcn_8s_wide_vgg": pair("vgg16", "fcn_8_wide"),
    "deeplabv3plus": pair("resnet50", "deeplabv3plus"),
    "segnet_basic": whole("segnet_basic"),
    "segnet_vgg16": whole("segnet_vgg16"),
    "bayesian_segnet": whole("segnet_vgg16", dropout=0.5),
    "bayesian_segnet_basic": whole("segnet_basic", dropout=0.5),
    "enet": whole("enet"),
}


def names() -> list[str]:
    """Return every name that `find` knows: the registry's lines, then ENCODER_DECODER."""
    return list(dict.fromkeys([*MODELS, *(f"{e}_{d}" for e in encoders.names() for d in decoders.names())]))


def find(name: str, align_maps: bool = True) -> Spec:
    """Return the Spec of a model: its line, or of a name ENCODER_DECODER the pair.

    align_maps: see build_model. Raises UsageError with the nearest name for an unknown one.
    """
    if not align_maps:
        return replace(find(name), corner_grid=False, one_more=False)
    if name in MODELS:
        return MODELS[name]
    for decoder in decoders.names():
        encoder = str(name).removesuffix(f"_{decoder}")
        if encoder in encoders.names() and encoder != name:
            return pair(encoder, decoder)
    raise UsageError(f"unknown model {name!r}.{nearest(name, names())} Expected a name that "
                     "`segnet-hpu models` lists, or ENCODER_DECODER")


def divisor(spec: Spec, level: int | None = None) -> int:
    """Return the number of pixels by which the sides that a model takes differ; level: as of `input_size`."""
    return spec.divisor if level is None else max(spec.divisor, 2 ** (level + 1))


def input_size(name: str, height: int | None = None, width: int | None = None,
               level: int | None = None, align_maps: bool = True) -> tuple[int, int]:
    """Return (height, width) in pixels, the model's own where None.

    name: may be MODULE:NAME. level: the feature map f(level + 1) that the decoder starts from, where that is an
    option. align_maps: see build_model. Raises UsageError, naming the nearest sizes that fit, for a size the model
    cannot take.
    """
    if ":" in name and height and width:  # a user's own function, which checks for itself
        return height, width
    spec = find(name, align_maps)
    step = divisor(spec, level)
    size = (height or spec.input_height, width or spec.input_width)
    for side, value in zip(("input_height", "input_width"), size, strict=True):
        if value % step != spec.remainder and not (spec.one_more and value > step and value % step == 1):
            below = max((value - spec.remainder) // step * step, 0) + spec.remainder or step
            rule = f"multiples of {step}" + (f" plus {spec.remainder}" if spec.remainder else "")
            rule += " and one more" if spec.one_more else ""
            raise UsageError(f"--{side} is {value}; {name} takes {rule}: {below} or {below + step}")
    return size
