"""Random transforms of training samples, a file each; the options of all are the fields of an Augmentation.

A geometric one is a function (rng, size, *, options) that returns a 3x3 matrix from old to new coordinates in pixels
of `size` (height, width), or None for no change. All matrices are applied in one interpolation.

A photometric one is a function (image, rng, *, options) that changes a picture, uint8 (H, W, 3) RGB, in place. If it
has a parameter `label`, it gets that too: uint8 (h, w), smaller than the picture or not, or None. All pictures of
one sample are changed with the same `rng`.

`order` says when it is its turn among those of its kind. At the defaults of its options it changes nothing: a
photometric one is not called then, and a geometric one should draw no number of `rng`, so that a new transform leaves
the random numbers of the others as they are. No two have an option of one name. NumPy and OpenCV are imported in the
functions: the command line asks for the options alone.
"""

import math
from typing import Any

from segnet_hpu.components import Registry

Pair = tuple[float, float]

geometric = Registry("geometric transform", flag="--augmentation_name", package=__name__)
photometric = Registry("photometric transform", flag="--augmentation_name", package=__name__)


def degrees(value: Any) -> float:
    """one number, 0 to 180 degrees"""
    number, = _numbers(value, 1)
    if not 0 <= number <= 180:
        raise ValueError("out of range")
    return number


def two_numbers(value: Any) -> Pair:
    """two numbers such as 0.5:2"""
    first, second = _numbers(value, 2)
    return first, second


def probability_and_sigma(name: str, value: Any) -> Pair:
    """Return the two numbers of the option `name`. Raises ValueError."""
    probability, sigma = two_numbers(value)
    if not 0 <= probability <= 1:
        raise ValueError(f"{name} probability is {probability}")
    if sigma < 0:
        raise ValueError(f"{name} sigma is {sigma}")
    return probability, sigma


def _numbers(value: Any, count: int) -> tuple[float, ...]:
    parts = value.replace(",", ":").split(":") if isinstance(value, str) else value
    numbers = tuple(float(part) for part in (parts if isinstance(parts, list | tuple) else [parts]))
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{count} finite")
    return numbers
