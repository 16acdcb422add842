"""Pictures and labels as keras_segmentation's networks take them. Arrays of pictures are uint8, BGR."""

import os
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from segnet_hpu.compat.keras_segmentation.pairs import DataLoaderError
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.images import blue_channel, read_image, rgb_of_bgr
from segnet_hpu.data.labels import read_label
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

Picture = StrPath | np.ndarray

FULL = 255
MEANS = (103.939, 116.779, 123.68)  # of ImageNet, B, G and R


def get_image_array(image_input: Picture, width: int, height: int, imgNorm: str = "sub_mean",
                    ordering: str = "channels_first", read_image_type: int = 1) -> np.ndarray:
    """Return a picture resized and normalised as keras_segmentation feeds it, float32, equal to the bit.

    image_input: path, or uint8 (H, W, C) BGR, or (H, W). imgNorm: "sub_mean" subtracts ImageNet's means and
    turns BGR to RGB; "sub_and_divide" maps to -1..1 and "divide" to 0..1, both BGR. ordering: channels_first
    gives (C, height, width), channels_last (height, width, C). read_image_type: 1 reads colour, 0 grey.
    Raises DataLoaderError for other values and unreadable files.
    """
    resized = cv2.resize(read_picture(image_input, read_image_type), (width, height))
    image: np.ndarray = np.atleast_3d(resized.astype(np.float32))
    if imgNorm == "sub_and_divide":
        image = image / 127.5 - 1
    elif imgNorm == "divide":
        image = image / 255.0
    elif imgNorm == "sub_mean":
        for channel, mean in zip(range(image.shape[2]), MEANS, strict=False):
            image[:, :, channel] -= mean
        image = image[:, :, ::-1]
    else:
        raise DataLoaderError(f"imgNorm is {imgNorm!r}; expected sub_mean, sub_and_divide or divide")
    return np.rollaxis(image, 2, 0) if ordering == "channels_first" else image


def get_segmentation_array(image_input: Picture, nClasses: int, width: int, height: int, no_reshape: bool = False,
                           read_image_type: int = 1) -> np.ndarray:
    """Return a label as one-hot float64 (width * height, nClasses), or (height, width, nClasses) if no_reshape.

    image_input: path, or class ids (H, W), or (H, W, 3) with the ids in the first channel. Ids that are no
    class are all zeros. read_image_type is of no effect: a label is read by its format, so that indices of a
    colour palette stay indices. Raises DataLoaderError for an unreadable file.
    """
    label = blue_channel(image_input) if isinstance(image_input, np.ndarray) else _read(read_label, image_input)
    label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
    one_hot = (label[:, :, None] == np.arange(nClasses)).astype(float)
    return one_hot if no_reshape else one_hot.reshape(width * height, nClasses)


def read_picture(image_input: Picture, read_image_type: int = 1, coding: ImageCoding = PLAIN) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) BGR, or (H, W, 1) grey, of a path; an array as it is.

    coding: how the file is meant.
    """
    if isinstance(image_input, np.ndarray):
        return image_input
    if read_image_type not in (0, 1):
        raise DataLoaderError(f"read_image_type is {read_image_type}; expected 1 (colour) or 0 (grey)")
    if read_image_type == 0:
        return _read(read_image, image_input, 1, coding)
    return np.ascontiguousarray(_read(read_image, image_input, 3, coding)[:, :, ::-1])


def read_rgb(image_input: Picture, read_image_type: int = 1, coding: ImageCoding = PLAIN) -> np.ndarray:
    """Return a picture uint8 (H, W, C) RGB, of a path or of a BGR array of 0..255.

    Floating-point values are rounded, and clipped where an interpolation left them a little beyond. Raises UsageError
    for arrays that are no pictures of 0..255.
    """
    if isinstance(image_input, np.ndarray):
        _refuse_other_values(image_input)
    return rgb_of_bgr(np.atleast_3d(read_picture(image_input, read_image_type, coding)))


def _refuse_other_values(array: np.ndarray) -> None:
    """Raise UsageError for NaN, and for a range of values that is evidently not 0..255."""
    if array.dtype == np.uint8 or not array.size:
        return
    if array.dtype.kind not in "iuf":
        raise UsageError(f"a picture is an array of {array.dtype}; expected numbers from 0 to 255")
    low, high = array.min(), array.max()
    beyond = FULL if array.dtype.kind == "f" else 0
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UsageError("a picture holds NaN or infinite values; expected numbers from 0 to 255")
    if low < -beyond or high > FULL + beyond or (beyond and 0 < high <= 1):
        raise UsageError(f"a picture is a {array.dtype} array of {low:g} to {high:g}; expected 0 to 255: "
                         "scale it, as by 255 from 0..1")


def _read(read: Callable[..., np.ndarray], path: Any, *options: Any) -> np.ndarray:
    if not isinstance(path, (str, os.PathLike)):
        raise DataLoaderError(f"a picture is given as {type(path).__name__}; expected a path or a NumPy array")
    try:
        return read(path, *options)
    except BadFile as error:
        raise DataLoaderError(str(error)) from None
