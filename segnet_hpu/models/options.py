"""What a user may set of a model by `--model_options`: names, types and bounds. Imports nothing heavy."""

import dataclasses

from segnet_hpu.config import option
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.fields import keys
from segnet_hpu.models.registry import find

AT_ONCE = (1e-4, 1e-2)


def parse_skip_scale(value):
    """none, at_once (0.0001:0.01) or two numbers FACTOR_OF_POOL3:FACTOR_OF_POOL4"""
    if value in ("none", None):
        return None
    if value == "at_once":
        return AT_ONCE
    numbers = tuple(float(number) for number in value.split(":"))
    if len(numbers) != 2:
        raise ValueError("two numbers, joined by a colon")
    return numbers


@dataclasses.dataclass
class Options:
    """Every option that some model has; the registry says which model has which, and its default."""

    use_upsampling: bool = option(True, "upsample by repetition; false: by transposed convolution")
    level: int = option(3, "feature map that the decoder starts from; f1 is 0", minimum=1, maximum=4)
    relu: bool = option(True, "rectify after the decoder's convolutions")
    stride: int = option(8, "of the scores before the last enlargement", choices=(8, 16, 32))
    aligned: bool = option(True, "logits lie over the image; false: as keras_segmentation's")
    width: int = option(4096, "channels of the two layers behind f5", minimum=1)
    dropout: float = option(0.5, "rate of the dropped units", minimum=0.0, maximum=0.99)
    skip_scale: tuple = option(None, "factors of the skipped feature maps", parse=parse_skip_scale)
    sigma: float | None = option(None, "deviation of the head's first weights", minimum=0.0)
    output_stride: int = option(16, "of the dilated encoder", choices=(8, 16))
    separable: bool = option(False, "3x3 convolutions in two steps, depthwise and 1x1")


def parse_model_options(value):
    """options such as dropout=0.5,skip_scale=at_once; which there are: `segnet-hpu models --name MODEL`"""
    value = as_text(value)
    pairs = [[part.strip() for part in pair.split("=")] for pair in value.split(",")]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise ValueError("each is NAME=VALUE")
    return ",".join("=".join(pair) for pair in pairs)


def model_options(model_name, text):
    """Return {option: value} of what parse_model_options returned, or of None.

    Raises UsageError, naming those there are, for an option that the model does not have, and for a wrong value.
    """
    fields = keys(Options)
    known = find(model_name).options
    chosen = {}
    for name, value in (pair.split("=") for pair in (text or "").split(",") if pair):
        if name not in known:
            raise UsageError(f"--model_options: {model_name} has no option {name}; it has "
                             f"{', '.join(known) or 'none'}.{nearest(name, known)}")
        chosen[name] = fields[name].convert(value, f"--model_options {name}")
    return chosen


def as_text(value):
    """Return options {name: value}, or one value, as `--model_options` takes them."""
    if isinstance(value, dict):
        return ",".join(f"{name}={as_text(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ":".join(map(str, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
