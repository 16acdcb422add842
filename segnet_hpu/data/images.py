"""Pictures of files, as arrays."""

from typing import NamedTuple

import cv2
import numpy as np

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.image_files import BANDS, decode, read_file
from segnet_hpu.data.image_header import ImageHeader
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

DARK = 1 << 14  # 16-bit values below a quarter of full scale are rather those of 8, 10, 12 or 14 bits
RARE = 0.001
DEPTHS = (8, 10, 12, 14, 16)
MIRRORED, UPSIDE_DOWN = (2, 3, 6, 7), (3, 4, 7, 8)  # orientation tags, after tags above 4 have swapped the axes


def read_image(path: StrPath, channels: int = 3, coding: ImageCoding = PLAIN) -> np.ndarray:
    """Return a picture as uint8 (H, W, channels), RGB; channels 3, or 1 for grey.

    coding: how the file is meant. Raises BadFile (a UsageError) for a missing, empty, truncated or foreign file and
    for one of whose numbers something would be lost: more than 8 bits that reach so low a part of 16 that the
    picture would be almost black, floating-point numbers, transparency and further bands.
    """
    return read_stored_image(path, channels, coding).pixels


class StoredImage(NamedTuple):
    """A picture that `read_image` returns, its orientation tag from 1 to 8, and the bits of a number in its file."""

    pixels: np.ndarray
    orientation: int
    bits: int


def read_stored_image(path: StrPath, channels: int = 3, coding: ImageCoding = PLAIN) -> StoredImage:
    """Return the picture that `read_image` returns with what its file says of it."""
    if channels not in (1, 3):
        raise UsageError(f"channels is {channels}; expected 3 (RGB) or 1 (grey)")
    data, header = read_file(path)
    if header.kind != "whole" or header.bits > 16:
        raise BadFile(path, f"holds {header.kind} numbers of {header.bits} bits, expected whole ones of 8 or 16",
                      "scale them to 0..65535 and save them as 16-bit PNG or TIFF")
    if header.further and not coding.ignore_alpha and not is_opaque(path, data, header):
        raise BadFile(path, "has a band beside its colours (transparency, or a fourth band of data), which would be "
                      "lost", "read the colours alone by --ignore_alpha, or save the picture without that band")
    if header.zero_is_white and header.bits > 8:
        raise BadFile(path, f"holds inverted greys of {header.bits} bits (TIFF's WhiteIsZero), which are not read",
                      "save it with zero as black")
    if header.bits <= 8:
        pixels = decode(path, data, header, cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR)
        pixels = pixels if header.white is None else _over_range(pixels, 0, header.white)
    else:
        deep = decode(path, data, header, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        pixels = _with_channels(_of_8_bits(path, deep, header, coding), channels)
    pixels = pixels[:, :, None] if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    pixels = turned(pixels, header.orientation) if coding.turns else pixels
    return StoredImage(pixels, header.orientation, header.bits)


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return stored pixels (H, W, ...) as Exif's orientation, 1 to 8, says that they are seen."""
    if orientation == 1:
        return pixels
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    rows = slice(None, None, -1 if orientation in UPSIDE_DOWN else 1)
    columns = slice(None, None, -1 if orientation in MIRRORED else 1)
    return np.ascontiguousarray(pixels[rows, columns])


def stored_size(path: StrPath) -> tuple[tuple[int, int], int]:
    """Return an image file's (height, width) before it is turned, and its orientation tag."""
    _, header = read_file(path)
    return (header.height, header.width), header.orientation


def reads_alike(path: StrPath, coding: ImageCoding) -> bool:
    """Whether an image file is the same picture to whom the coding is not told."""
    if coding == PLAIN:
        return True
    _, header = read_file(path)
    return (coding.turns or header.orientation == 1) and not (
        (coding.image_range and header.bits > 8) or (coding.ignore_alpha and header.further))


def is_opaque(path: StrPath, data: bytes, header: ImageHeader) -> bool:
    """Whether a file's fourth band is known to hold nothing: all pixels have its highest value."""
    pixels = decode(path, data, header, cv2.IMREAD_UNCHANGED)
    is_rgba = pixels.ndim == 3 and pixels.shape[2] == BANDS and pixels.dtype.kind == "u"
    return bool(is_rgba and pixels[:, :, 3].min() == np.iinfo(pixels.dtype).max)


def _of_8_bits(path: StrPath, pixels: np.ndarray, header: ImageHeader, coding: ImageCoding) -> np.ndarray:
    """Return pixels of more than 8 bits as 8-bit ones: by the coding's range, else by their upper 8 bits."""
    bits = header.bits
    if pixels.dtype == np.uint8:
        return pixels
    if coding.image_range:
        low, high = coding.image_range
        if high >= 1 << bits:
            raise BadFile(path, f"is of {bits} bits and would be too dark over the image_range {low}-{high}",
                          f"give --image_range 0-{(1 << bits) - 1}, and read files of other bits by themselves")
        return _over_range(pixels, low, high)
    if header.white is not None:
        return _over_range(pixels, 0, header.white)
    highest = typical_highest(pixels)
    if bits == 16 and 0 < highest < DARK:
        _, white = likely_range(highest)
        brighter = int(np.count_nonzero(pixels > highest))
        but = f" (but for {brighter} brighter ones up to {pixels.max()})" if brighter else ""
        raise BadFile(path, f"holds values up to {highest} in 16 bits{but} and would be almost black",
                      f"give --image_range 0-{white} if they are of {white.bit_length()} bits, or 0-65535 if the "
                      "picture is as dark as that")
    return (pixels >> bits - 8).astype(np.uint8)


def _over_range(pixels: np.ndarray, low: int, high: int) -> np.ndarray:
    """Return whole numbers as 8-bit ones of which `low` is 0 and `high` 255."""
    table = np.clip(np.rint((np.arange(1 << 16) - low) * 255 / (high - low)), 0, 255).astype(np.uint8)
    return table[pixels]


def likely_range(highest: int) -> tuple[int, int]:
    """Return the range of the usual numbers of bits that hold a highest value.

    >>> likely_range(1000), likely_range(40_000)
    ((0, 1023), (0, 65535))
    """
    return 0, next((1 << bits) - 1 for bits in DEPTHS if highest < 1 << bits)


def highest_value(path: StrPath) -> int:
    """Return the typical highest number in an image file of at most 16 bits; raises BadFile."""
    data, header = read_file(path)
    return typical_highest(decode(path, data, header, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH))


def typical_highest(pixels: np.ndarray) -> int:
    """Return the highest of unsigned numbers, but for a few that say nothing of the others.

    These are the type's highest number, of saturated and missing pixels, where fewer than half are that, and the
    highest thousandth of the rest.
    """
    counts = np.bincount(pixels.ravel(), minlength=np.iinfo(pixels.dtype).max + 1)
    if 0 < 2 * counts[-1] < pixels.size:
        counts[-1] = 0
    below = np.cumsum(counts)
    return int(np.searchsorted(below, below[-1] - int(RARE * below[-1])))


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return grey (H, W) or BGR (H, W, 3) pixels as BGR for 3 channels, as grey (H, W) for 1."""
    if pixels.ndim == 2:
        return pixels if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if channels == 1 else pixels


def blue_channel(label: np.ndarray) -> np.ndarray:
    """Return the blue channel (H, W) of a BGR array, or a grey one as it is."""
    return label if label.ndim == 2 else np.ascontiguousarray(label[:, :, 0])


def rgb_of_bgr(image: np.ndarray) -> np.ndarray:
    """Return uint8 RGB (H, W, C) of a BGR array of any type of numbers, rounded and clipped to 0..255."""
    if image.dtype != np.uint8:
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image[:, :, ::-1])


def shown(image: np.ndarray) -> np.ndarray:
    """Return RGB (H, W, 3) to show of an image (H, W, C): the last picture of a stack, see photometric.py."""
    if image.shape[2] == 3:
        return image
    last = image[:, :, -1:] if image.shape[2] % 3 else image[:, :, -3:]
    return np.array(np.broadcast_to(last, (*image.shape[:2], 3)))
