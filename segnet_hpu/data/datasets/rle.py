"""COCO's masks: run lengths, plain or compressed, and polygons."""

import math
from collections.abc import Sequence
from typing import TypedDict

import numpy as np


class RunLengths(TypedDict):
    """A mask as COCO writes it: size is [height, width]; counts as for `decode`."""

    size: list[int]
    counts: Sequence[int] | str


def decode(counts: Sequence[int] | str | bytes, height: int, width: int) -> np.ndarray:
    """Return the bool (height, width) mask of run lengths.

    counts: lengths in pixels down the columns, from left to right, of unset and set runs in turn, the first
    unset; or COCO's text of them. Raises ValueError unless they fill the mask.
    """
    lengths = np.array(uncompress(counts) if isinstance(counts, (str, bytes)) else counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError(f"run lengths of {lengths.sum()} pixels for a mask of {width}x{height}")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(width, height).T


def uncompress(text: str | bytes) -> list[int]:
    """Return the run lengths, a list of int, that COCO's text stands for.

    Each number is written in 5 bits a character, low ones first, from character 48 on; 32 says that more follow,
    16 in the last one is the sign. From the fourth on a number is the difference to the last but one. Raises
    ValueError for other characters and for a number that does not end.
    """
    numbers: list[int] = []
    number = shift = 0
    for code in text.encode() if isinstance(text, str) else text:
        code -= 48
        if not 0 <= code < 64:
            raise ValueError(f"the character {chr(code + 48)!r} in run lengths")
        number |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            number -= 1 << shift
        numbers.append(number + (numbers[-2] if len(numbers) > 2 else 0))
        number = shift = 0
    if shift:
        raise ValueError("run lengths that end within a number")
    return numbers


def polygon(points: Sequence[float], height: int, width: int) -> np.ndarray:
    """Return the bool (height, width) mask of the pixels whose centre lies inside a polygon, by the even-odd rule.

    points: x0, y0, x1, y1, ... in pixels, where pixel (0, 0) reaches from 0 to 1. Fewer than three are nothing.
    """
    x, y = np.array(points[:len(points) // 2 * 2], float).reshape(-1, 2).T - 0.5  # so that centres are whole numbers
    inside = np.zeros((height, width), bool)
    if not x.size:
        return inside
    first, last = (np.clip(np.ceil([end(y), end(x)]), 0, [height, width]).astype(int) for end in (np.min, np.max))
    crossed = np.zeros(last - first + [0, 1], bool)
    # Each edge crosses some rows; every pixel to the right of that point changes sides.
    for x0, y0, x1, y1 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        rows = np.arange(max(first[0], math.ceil(min(y0, y1))), min(last[0], math.ceil(max(y0, y1))))
        if rows.size:
            columns = np.ceil(x0 + (rows - y0) * (x1 - x0) / (y1 - y0)).astype(int)
            crossed[rows - first[0], np.clip(columns, first[1], last[1]) - first[1]] ^= True
    inside[first[0]:last[0], first[1]:last[1]] = np.logical_xor.accumulate(crossed, axis=1)[:, :-1]
    return inside


def mask(segmentation: RunLengths | list[list[float]], height: int, width: int) -> np.ndarray:
    """Return the bool (height, width) mask of an annotation's `segmentation`.

    A list of polygons, whose union it is, or {"size": [height, width], "counts": run lengths}. Raises ValueError.
    """
    if isinstance(segmentation, dict):
        if list(segmentation["size"]) != [height, width]:
            raise ValueError(f"a mask of size {segmentation['size']} for a picture of [{height}, {width}]")
        return decode(segmentation["counts"], height, width)
    whole = np.zeros((height, width), bool)
    for points in segmentation:
        whole |= polygon(points, height, width)
    return whole
