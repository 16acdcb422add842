"""The text of `--model_options`, and what it means for a model. Imports nothing heavy."""

from collections.abc import Mapping
from typing import Any

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.models.registry import find


def parse_model_options(value: Any) -> str:
    """options such as dropout=0.5,skip_scale=at_once; which there are: `segnet-hpu models --name MODEL`"""
    value = as_text(value)
    pairs = [[part.strip() for part in pair.split("=")] for pair in value.split(",")]
    if not all(len(pair) == 2 and all(pair) for pair in pairs):
        raise ValueError("each is NAME=VALUE")
    return ",".join("=".join(pair) for pair in pairs)


def model_options(model_name: str, text: str | None) -> dict[str, Any]:
    """Return {option: value} of what parse_model_options returned, or of None.

    Raises UsageError, naming those there are, for an option that the model does not have, and for a wrong value.
    """
    if not text:
        return {}
    spec = find(model_name)
    known = spec.options
    chosen = {}
    for name, value in (pair.split("=") for pair in text.split(",")):
        if name not in known:
            raise UsageError(f"--model_options: {model_name} has no option {name}; it has "
                             f"{', '.join(known) or 'none'}.{nearest(name, known)}")
        chosen[name] = spec.body.options[name].convert(value, f"--model_options {name}")
    return chosen


def as_text(value: Any) -> str:
    """Return options {name: value}, or one value, as `--model_options` takes them."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={as_text(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ":".join(map(str, value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)
