"""Every model by its name: which encoder and decoder, or which whole network, and which size by default.

Imports nothing heavy, so that a wrong name or size is refused at once.
"""

from dataclasses import dataclass, field

from segnet_hpu.errors import UsageError, nearest


@dataclass(frozen=True)
class Spec:
    """A registry line: an encoder with a decoder, or a network that is no such pair.

    divisor, remainder: both sides of the input divided by `divisor` must leave `remainder`.
    options: of the decoder or network, those that a user may set (models.options), with their defaults.
    """

    encoder: str | None = None
    decoder: str | None = None
    network: str | None = None
    input_height: int = 416
    input_width: int = 608
    divisor: int = 32
    remainder: int = 0
    options: dict = field(default_factory=dict)


# What a model takes from its encoder, and then from its decoder, unless its line says otherwise.
ENCODERS = {
    "vanilla": {},
    "vgg16": {},
    "resnet18": {},
    "resnet34": {},
    "resnet50": {},
    "resnet101": {},
    "mobilenet": {"input_height": 224, "input_width": 224},
    "mobilenet_v2": {},
    "xception": {},
    "efficientnet": {},
}
_FCN = {"aligned": True, "width": 4096, "dropout": 0.5, "skip_scale": None, "sigma": None}
DECODERS = {
    "segnet": {"divisor": 16, "options": {"use_upsampling": True, "level": 3}},
    "unet": {"divisor": 16, "options": {"use_upsampling": True, "relu": True}},
    "fcn_8": {"options": {"stride": 8, **_FCN}},
    "fcn_16": {"options": {"stride": 16, **_FCN}},
    "fcn_32": {"options": {"stride": 32, **_FCN}},
    "fcn_8_wide": {"options": {"width": 4096, "dropout": 0.5, "skip_scale": (0.001, 0.01), "sigma": 0.01}},
    "pspnet": {"divisor": 192, "input_height": 384, "input_width": 576},
    "deeplabv3plus": {"divisor": 8, "options": {"output_stride": 16, "separable": False}},
}


def pair(encoder, decoder, **options):
    """Return the Spec of an encoder with a decoder; `options` win over the decoder's own."""
    facts = ENCODERS[encoder] | DECODERS[decoder]
    return Spec(encoder, decoder, **facts | {"options": facts.get("options", {}) | options})


# The first 22 are keras_segmentation's; its FCNs return n + stride pixels for n, so they are not aligned.
MODELS = {
    "fcn_8": pair("vanilla", "fcn_8", aligned=False),
    "fcn_32": pair("vanilla", "fcn_32", aligned=False),
    "fcn_8_vgg": pair("vgg16", "fcn_8", aligned=False),
    "fcn_32_vgg": pair("vgg16", "fcn_32", aligned=False),
    "fcn_8_resnet50": pair("resnet50", "fcn_8", aligned=False),
    "fcn_32_resnet50": pair("resnet50", "fcn_32", aligned=False),
    "fcn_8_mobilenet": pair("mobilenet", "fcn_8", aligned=False),
    "fcn_32_mobilenet": pair("mobilenet", "fcn_32", aligned=False),
    "pspnet": pair("vanilla", "pspnet"),
    "vgg_pspnet": pair("vgg16", "pspnet"),
    "resnet50_pspnet": pair("resnet50", "pspnet"),
    "pspnet_50": Spec(network="pspnet_50", input_height=473, input_width=473, divisor=48, remainder=41),
    "pspnet_101": Spec(network="pspnet_101", input_height=473, input_width=473, divisor=48, remainder=41),
    "unet_mini": Spec(network="unet_mini", input_height=360, input_width=480, divisor=4),
    "unet": pair("vanilla", "unet"),
    "vgg_unet": pair("vgg16", "unet"),
    "resnet50_unet": pair("resnet50", "unet"),
    "mobilenet_unet": pair("mobilenet", "unet"),
    "segnet": pair("vanilla", "segnet"),
    "vgg_segnet": pair("vgg16", "segnet"),
    "resnet50_segnet": pair("resnet50", "segnet"),
    "mobilenet_segnet": pair("mobilenet", "segnet"),
    "fcn_16": pair("vanilla", "fcn_16"),
    "fcn_8s_vgg": pair("vgg16", "fcn_8", sigma=0.01),
    "fcn_8s_wide_vgg": pair("vgg16", "fcn_8_wide"),
    "deeplabv3plus": pair("resnet50", "deeplabv3plus"),
    "segnet_basic": Spec(network="segnet_basic", input_height=360, input_width=480, divisor=1,
                         options={"dropout": 0.0}),
    "segnet_vgg16": Spec(network="segnet_vgg16", input_height=360, input_width=480, divisor=1,
                         options={"dropout": 0.0}),
    "bayesian_segnet": Spec(network="segnet_vgg16", input_height=360, input_width=480, divisor=1,
                            options={"dropout": 0.5}),
    "bayesian_segnet_basic": Spec(network="segnet_basic", input_height=360, input_width=480, divisor=1,
                                  options={"dropout": 0.5}),
    "enet": Spec(network="enet", input_height=360, input_width=480, divisor=8),
}


def names():
    """Return every name that `find` knows: the registry's lines, then ENCODER_DECODER."""
    return list(dict.fromkeys([*MODELS, *(f"{e}_{d}" for e in ENCODERS for d in DECODERS)]))


def find(name):
    """Return the Spec of a model: its line, or of a name ENCODER_DECODER the pair.

    Raises UsageError with the nearest name for an unknown one.
    """
    if name in MODELS:
        return MODELS[name]
    for decoder in DECODERS:
        encoder = str(name).removesuffix(f"_{decoder}")
        if encoder in ENCODERS and encoder != name:
            return pair(encoder, decoder)
    raise UsageError(f"unknown model {name!r}.{nearest(name, names())} Expected a name that "
                     "`segnet-hpu models` lists, or ENCODER_DECODER")


def divisor(spec, level=None):
    """Return the number of pixels by which the sides that a model takes differ; level: as of `input_size`."""
    return spec.divisor if level is None else max(spec.divisor, 2 ** (level + 1))


def input_size(name, height=None, width=None, level=None):
    """Return (height, width) in pixels, the model's own where None.

    level: the feature map f(level + 1) that the decoder starts from, where that is an option. Raises
    UsageError, naming the nearest sizes that fit, for a size the model cannot take.
    """
    spec = find(name)
    step = divisor(spec, level)
    size = (height or spec.input_height, width or spec.input_width)
    for side, value in zip(("input_height", "input_width"), size, strict=True):
        if value % step != spec.remainder:
            below = max((value - spec.remainder) // step * step, 0) + spec.remainder or step
            rule = f"multiples of {step}" + (f" plus {spec.remainder}" if spec.remainder else "")
            raise UsageError(f"--{side} is {value}; {name} takes {rule}: {below} or {below + step}")
    return size
