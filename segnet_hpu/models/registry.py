"""Every model by its name: which encoder and decoder, or which whole network, and which size by default."""

from dataclasses import dataclass, field

from segnet_hpu.errors import UsageError, nearest


@dataclass(frozen=True)
class Spec:
    """A registry line: an encoder with a decoder, or a network that is no such pair.

    divisor: both sides of the input must be multiples of it. options: of the decoder or network.
    """

    encoder: str | None = None
    decoder: str | None = None
    network: str | None = None
    input_height: int = 416
    input_width: int = 608
    divisor: int = 32
    options: dict = field(default_factory=dict)


MODELS = {
    "vgg_segnet": Spec("vgg16", "segnet", divisor=16),
    "segnet_basic": Spec(network="segnet_basic", input_height=360, input_width=480, divisor=1),
    "segnet_vgg16": Spec(network="segnet_vgg16", input_height=360, input_width=480, divisor=1),
    "bayesian_segnet": Spec(network="segnet_vgg16", input_height=360, input_width=480, divisor=1,
                            options={"dropout": 0.5}),
    "bayesian_segnet_basic": Spec(network="segnet_basic", input_height=360, input_width=480, divisor=1,
                                  options={"dropout": 0.5}),
    "enet": Spec(network="enet", input_height=360, input_width=480, divisor=8),
}


def find(name):
    """Return the Spec of a model; raise UsageError with the nearest name for an unknown one."""
    if name not in MODELS:
        raise UsageError(f"unknown model {name!r}.{nearest(name, MODELS)} Known: {', '.join(MODELS)}")
    return MODELS[name]


def input_size(name, height=None, width=None):
    """Return (height, width) in pixels, the model's own where None.

    Raises UsageError, naming the nearest sizes that fit, for a size the model cannot take.
    """
    spec = find(name)
    size = (height or spec.input_height, width or spec.input_width)
    for side, value in zip(("input_height", "input_width"), size, strict=True):
        if value % spec.divisor:
            below = max(value // spec.divisor, 1) * spec.divisor
            raise UsageError(f"--{side} is {value}; {name} takes multiples of {spec.divisor}: "
                             f"{below} or {below + spec.divisor}")
    return size
