"""Whether pictures look like labels: large areas of few colours."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_files import decode, read_file

FLAT, COLOURS = 0.6, 256  # share of pixels that equal their left neighbour; different colours at most


def look_like_labels(paths: Sequence[str]) -> bool:
    """Return whether the first and the last of the pictures look like labels."""
    return all(map(_is_flat, paths[::max(1, len(paths) - 1)]))


@cache
def _is_flat(path: str) -> bool:
    try:
        picture = decode(path, *read_file(path), cv2.IMREAD_UNCHANGED)
    except BadFile:
        return False
    if picture.shape[1] < 2:
        return False
    pixels = picture.reshape(*picture.shape[:2], -1)
    equal = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)
    if equal.mean() < FLAT:
        return False
    starts = pixels[:, 1:][~equal]
    return len(np.unique(starts, axis=0)) <= COLOURS
