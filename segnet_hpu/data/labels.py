"""Reading label files. Every label passes here; what cannot be one is refused, whatever its name says."""

from collections.abc import Sequence

import cv2
import numpy as np

from segnet_hpu.data import containers
from segnet_hpu.data.colours import Colour
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_files import BANDS, decode, read_file
from segnet_hpu.data.image_header import BMP_SAMPLE_BITS, ImageHeader
from segnet_hpu.data.images import blue_channel, is_opaque
from segnet_hpu.data.label_faults import coloured_fault, lossy_fault
from segnet_hpu.data.lossy import lossy_format
from segnet_hpu.files import StrPath

HEAD = 64  # bytes of a file that tell whether it has a palette


def read_label(path: StrPath) -> np.ndarray:
    """Return a label's class ids as uint8 (H, W).

    The id is the value of a grey file, the index of one with a colour palette (PASCAL VOC), and the blue channel of a
    colour file whose channels are equal or which has blue alone (keras_segmentation's rule). Raises BadFile (a
    UsageError) as `read_image` does, for what was stored with loss, for other coloured pictures and for 16-bit
    values above 255.
    """
    return of_8_bits(path, read_label_values(path))


def of_8_bits(path: StrPath, ids: np.ndarray) -> np.ndarray:
    """Return whole numbers as uint8; raises BadFile, naming the label file `path`, for one above 255."""
    if ids.dtype == np.uint8:
        return ids
    if ids.max() > 255:
        raise BadFile(path, f"holds the value {ids.max()}, expected class ids of at most 255",
                      "map the ids to 0..n_classes-1 and save as 8-bit PNG")
    return ids.astype(np.uint8)


def read_label_values(path: StrPath) -> np.ndarray:
    """Return a label's values as stored, uint8 or uint16 (H, W); raises BadFile as `read_label`."""
    label = read_label_channels(path)
    if _is_coloured(label):
        raise coloured_fault(path, label).error
    return blue_channel(label)


def read_label_channels(path: StrPath) -> np.ndarray:
    """Return a label as stored, uint8 or uint16: (H, W) if grey or indices, (H, W, 3) BGR if colour.

    Raises BadFile for a file that is no picture, is damaged, or was stored with loss.
    """
    data, header = _read_label_file(path)
    if header.has_palette and header.format == "TIFF":
        raise BadFile(path, "has a palette, whose indices are not read from TIFF", "save it as PNG with that palette")
    palette = containers.palette(data)
    if palette and not containers.is_coloured(palette):
        _refuse_merged_greys(path, data, header, palette)
    else:
        data = containers.indices_as_grey(data)
    label = decode(path, data, header, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if label.dtype not in (np.uint8, np.uint16):
        raise BadFile(path, f"holds {label.dtype} values, expected whole class ids", "save it as 8-bit PNG")
    return label // containers.grey_scale(data)


def _refuse_merged_greys(path: StrPath, data: bytes, header: ImageHeader, palette: Sequence[Colour]) -> None:
    """Raise BadFile where several indices that occur have one grey, which optimizers leave of no file of ids."""
    if len(set(palette)) == len(palette):
        return
    indices, greys = (decode(path, content, header, cv2.IMREAD_GRAYSCALE)
                      for content in (containers.indices_as_grey(data), data))
    found, merged = len(np.unique(indices)), len(np.unique(greys))
    if found > merged:
        raise BadFile(path, f"has a palette of greys that shows its {found} indices as {merged} greys, so that it is "
                      "not sure what the ids are", "save the ids as the values of a grey PNG")


def read_label_colours(path: StrPath) -> np.ndarray:
    """Return a coloured label as uint8 (H, W, 3) RGB: of indices the colours of their palette, of greys these greys.

    Raises BadFile as `read_label_channels`, for more than 8 bits, and for a palette that has one colour twice,
    transparent and not.
    """
    data, header = _read_label_file(path)
    if header.has_palette and header.further:
        pixels = decode(path, data, header, cv2.IMREAD_UNCHANGED)
        found = set(np.unique(pixels.view("<u4")).tolist()) if pixels.shape[2:] == (BANDS,) else set()
        if len({pixel & 0xffffff for pixel in found}) < len(found):
            raise BadFile(path, "has one colour both transparent and not, whose class is not sure",
                          "read the label by its indices, or give the transparent pixels the colour of their class")
    label = decode(path, data, header, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if label.dtype != np.uint8:
        raise BadFile(path, f"holds {label.dtype} values, expected colours of 8 bits", "save it as 8-bit PNG")
    return np.ascontiguousarray(label[:, :, ::-1])


def palette_of(path: StrPath) -> list[Colour] | None:
    """Return the colours of the indices in a PNG or BMP file, None for other files and for names of none."""
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            return None if containers.palette(head) is None else containers.palette(head + file.read())
    except FileNotFoundError:
        return None


def grey_bits(path: StrPath) -> int | None:
    """Return the bits of a sample of a grey PNG, None for other files and for names of none."""
    try:
        with open(path, "rb") as file:
            return containers.grey_bits(file.read(26))
    except FileNotFoundError:
        return None


def _read_label_file(path: StrPath) -> tuple[bytes, ImageHeader]:
    """Return bytes and header; raises BadFile where it is not sure what the ids are or over which pixels they lie."""
    data, header = read_file(path)
    lossy = lossy_format(data, header)
    if lossy:
        raise lossy_fault(path, lossy).error
    if header.format == "BMP" and header.bits == BMP_SAMPLE_BITS:
        raise BadFile(path, "has colours of 5 or 6 bits (a BMP of 16 bits), which are stretched to 8",
                      "make the label anew as 8-bit PNG from its source")
    if header.orientation != 1:
        raise BadFile(path, f"carries the orientation tag {header.orientation}, so that its place over the image is "
                      "not sure", "turn its pixels so that it fits the image, and save it without the tag")
    if header.zero_is_white:
        raise BadFile(path, "holds inverted greys (TIFF's WhiteIsZero), so that it is not sure what the ids are",
                      "save it with zero as black, as 8-bit PNG")
    if header.further and not header.has_palette and not is_opaque(path, data, header):
        raise BadFile(path, "is transparent in places, of which it is not sure what class they are",
                      "give these pixels the colour or id of their class, and save it without transparency")
    return data, header


def _is_coloured(label: np.ndarray) -> bool:
    """Channels differ, except where only blue is used, as some tools write ids for keras_segmentation."""
    if label.ndim == 2:
        return False
    blue, green, red = label[:, :, 0], label[:, :, 1], label[:, :, 2]
    only_blue = not green.any() and not red.any()
    return not only_blue and not (np.array_equal(blue, green) and np.array_equal(blue, red))
