"""Pictures and labels of files, as arrays."""

import cv2
import numpy as np

from segnet_hpu.data import containers
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.image_files import BANDS, BadFile, decode, read_file
from segnet_hpu.data.image_header import ImageHeader
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

__all__ = ["BadFile", "blue_channel", "read_image", "read_label", "read_label_channels", "read_label_colours",
           "rgb_of_bgr", "shown"]

DARK = 1 << 14  # 16-bit values below a quarter of full scale are rather those of 8, 10, 12 or 14 bits
DEPTHS = (8, 10, 12, 14)
MIRRORED, UPSIDE_DOWN = (2, 3, 6, 7), (3, 4, 7, 8)  # orientation tags, after tags above 4 have swapped the axes


def read_image(path: StrPath, channels: int = 3, coding: ImageCoding = PLAIN) -> np.ndarray:
    """Return a picture as uint8 (H, W, channels), RGB; channels 3, or 1 for grey.

    coding: how the file is meant. Raises BadFile (a UsageError) for a missing, empty, truncated or foreign file and
    for one of whose numbers something would be lost: more than 8 bits that reach so low a part of 16 that the
    picture would be almost black, floating-point numbers, transparency and further bands.
    """
    if channels not in (1, 3):
        raise UsageError(f"channels is {channels}; expected 3 (RGB) or 1 (grey)")
    data, header = read_file(path)
    if header.kind != "whole" or header.bits > 16:
        raise BadFile(path, f"holds {header.kind} numbers of {header.bits} bits, expected whole ones of 8 or 16",
                      "scale them to 0..65535 and save them as 16-bit PNG or TIFF")
    if header.further and not coding.ignore_alpha and not _is_opaque(path, data, header):
        raise BadFile(path, "has a band beside its colours (transparency, or a fourth band of data), which would be "
                      "lost", "read the colours alone by --ignore_alpha, or save the picture without that band")
    if header.bits <= 8:
        pixels = decode(path, data, header, cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR)
    else:
        deep = decode(path, data, header, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        pixels = _with_channels(_of_8_bits(path, deep, coding), channels)
    pixels = pixels[:, :, None] if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    return turned(pixels, header.orientation) if coding.turns else pixels


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


def _is_opaque(path: StrPath, data: bytes, header: ImageHeader) -> bool:
    """Whether a file's fourth band is known to hold nothing: all pixels have its highest value."""
    pixels = decode(path, data, header, cv2.IMREAD_UNCHANGED)
    is_rgba = pixels.ndim == 3 and pixels.shape[2] == BANDS and pixels.dtype.kind == "u"
    return bool(is_rgba and pixels[:, :, 3].min() == np.iinfo(pixels.dtype).max)


def _of_8_bits(path: StrPath, pixels: np.ndarray, coding: ImageCoding) -> np.ndarray:
    """Return 16-bit pixels as 8-bit ones: by the coding's range, else by their upper 8 bits."""
    if pixels.dtype == np.uint8:
        return pixels
    if coding.image_range:
        low, high = coding.image_range
        table = np.clip(np.rint((np.arange(1 << 16) - low) * 255 / (high - low)), 0, 255).astype(np.uint8)
        return table[pixels]
    highest = int(pixels.max())
    if 0 < highest < DARK:
        depth = next(bits for bits in DEPTHS if highest < 1 << bits)
        raise BadFile(path, f"holds values up to {highest} in 16 bits and would be almost black",
                      f"give --image_range 0-{(1 << depth) - 1} if they are of {depth} bits, or 0-65535 if the "
                      "picture is as dark as that")
    return (pixels >> 8).astype(np.uint8)


def _with_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return grey (H, W) or BGR (H, W, 3) pixels as BGR for 3 channels, as grey (H, W) for 1."""
    if pixels.ndim == 2:
        return pixels if channels == 1 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if channels == 1 else pixels


def read_label(path: StrPath) -> np.ndarray:
    """Return a label's class ids as uint8 (H, W).

    The id is the blue channel of a colour file (keras_segmentation's rule), the value of a grey one,
    and the index of one with a colour palette (PASCAL VOC). Raises BadFile as `read_image`, and
    for 16-bit values above 255.
    """
    label = blue_channel(read_label_channels(path))
    if label.dtype != np.uint8:
        if label.max() > 255:
            raise BadFile(path, f"holds the value {label.max()}, expected class ids of at most 255",
                          "map the ids to 0..n_classes-1 and save as 8-bit PNG")
        label = label.astype(np.uint8)
    return label


def read_label_channels(path: StrPath) -> np.ndarray:
    """Return a label as stored, uint8 or uint16: (H, W) if grey or indices, (H, W, 3) BGR if colour."""
    data, header = _read_label_file(path)
    if header.has_palette and header.format == "TIFF":
        raise BadFile(path, "has a palette, whose indices are not read from TIFF", "save it as PNG with that palette")
    data = containers.indices_as_grey(data)
    label = decode(path, data, header, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if label.dtype not in (np.uint8, np.uint16):
        raise BadFile(path, f"holds {label.dtype} values, expected whole class ids", "save it as 8-bit PNG")
    return label // containers.grey_scale(data)


def read_label_colours(path: StrPath) -> np.ndarray:
    """Return a coloured label as uint8 (H, W, 3) RGB: of indices the colours of their palette, of greys these greys.

    Raises BadFile as `read_image`, and for more than 8 bits.
    """
    data, header = _read_label_file(path)
    label = decode(path, data, header, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if label.dtype != np.uint8:
        raise BadFile(path, f"holds {label.dtype} values, expected colours of 8 bits", "save it as 8-bit PNG")
    return np.ascontiguousarray(label[:, :, ::-1])


def _read_label_file(path: StrPath) -> tuple[bytes, ImageHeader]:
    """Return bytes and header; raises BadFile where it is not sure what the ids are or over which pixels they lie."""
    data, header = read_file(path)
    if header.orientation != 1:
        raise BadFile(path, f"carries the orientation tag {header.orientation}, so that its place over the image is "
                      "not sure", "turn its pixels so that it fits the image, and save it without the tag")
    if header.further and not header.has_palette and not _is_opaque(path, data, header):
        raise BadFile(path, "is transparent in places, of which it is not sure what class they are",
                      "give these pixels the colour or id of their class, and save it without transparency")
    return data, header


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
