"""What an image file says of itself before its pixels: size, bits, bands, orientation. Nothing is decoded."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from segnet_hpu.data import containers, pnm, tiff
from segnet_hpu.data.containers import GREY, JPEG_SCAN, JPEG_SIGNATURE, PALETTE, PNG_SIGNATURE

JPEG_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
JPEG_APP1 = 0xE1
GREY_ALPHA, COLOUR_ALPHA = 4, 6  # PNG colour types
JPEG_2000 = re.compile(rb"\xff\x4f\xff\x51.{2}.{2}(.{32})(.{2})(.)", re.DOTALL)
BMP_SAMPLE_BITS = 5  # at least, where a pixel has 16 bits
TIFF_COLOURS = {2: 3, 5: 4, 6: 3, 8: 3, 9: 3, 10: 3}  # photometric interpretation: bands; all others have one
TIFF_ZERO_IS_WHITE, TIFF_PALETTE = 0, 3  # photometric interpretations
TIFF_REDUCED, TIFF_MASK = 1, 4
TIFF_PLANES = 2
TIFF_KINDS = {1: "whole", 2: "signed", 3: "floating-point", 4: "whole"}


@dataclass(frozen=True)
class ImageHeader:
    """What an image file's header says.

    width, height: pixels, as stored. bits: of a sample. colours: bands that make up the colour; 1 is grey, or
    indices of a palette. further: bands beyond these, such as transparency. kind: of the numbers, "whole", "signed"
    or "floating-point". orientation: Exif's, 1 (as stored) to 8. pictures: how many the file holds. room: pixels
    for which a decoder makes room. zero_is_white: greys are stored inverted. white: the number that is white,
    where it is not the highest of the bits. in_planes: bands lie one after another.
    """

    format: str
    width: int
    height: int
    bits: int = 8
    colours: int = 3
    further: int = 0
    kind: str = "whole"
    orientation: int = 1
    pictures: int = 1
    has_palette: bool = False
    tile: int = 0
    zero_is_white: bool = False
    white: int | None = None
    in_planes: bool = False

    @property
    def room(self) -> int:
        return max(self.width * self.height, self.tile)


def read_header(data: bytes) -> ImageHeader | None:
    """Return the header of a PNG, JPEG, BMP, TIFF, WebP, JPEG 2000, PBM, PGM or PPM file's bytes; None for others.

    None too for a header that is cut short.
    """
    read = next((read for signature, read in _READERS.items() if data.startswith(signature)), None)
    try:
        return read(data) if read else None
    except (struct.error, IndexError):
        return None


def _png(data: bytes) -> ImageHeader:
    width, height, bits, colour_type = struct.unpack_from(">IIBB", data, 16)
    further, orientation, pictures = colour_type in (GREY_ALPHA, COLOUR_ALPHA), 1, 1
    for kind, start, end in containers.png_parts(data):
        if kind == b"tRNS":
            further = True
        elif kind == b"eXIf":
            orientation = tiff.orientation(data[start:end])
        elif kind == b"acTL":
            (pictures,) = struct.unpack_from(">I", data, start)
    return ImageHeader("PNG", width, height, bits, 1 if colour_type in (GREY, GREY_ALPHA, PALETTE) else 3,
                       int(further), orientation=orientation, pictures=pictures, has_palette=colour_type == PALETTE)


def _jpeg(data: bytes) -> ImageHeader | None:
    orientation = frame = None
    for marker, start, end in containers.jpeg_segments(data):
        if marker == JPEG_APP1 and data[start:start + 6] == b"Exif\0\0" and orientation is None:
            orientation = tiff.orientation(data[start:end])  # further ones continue the first
        elif marker in JPEG_FRAMES:
            frame = struct.unpack_from(">BHHB", data, start)
        elif marker == JPEG_SCAN:
            break
    if frame is None:
        return None
    bits, height, width, colours = frame
    return ImageHeader("JPEG", width, height, bits, colours, orientation=orientation or 1)


def _bmp(data: bytes) -> ImageHeader:
    size, width, height, _, bits, compression = struct.unpack_from("<IiiHHI", data, 14)
    if size == 12:  # OS/2's header
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        compression = 0
    alpha = size >= 56 and compression in (3, 6) and struct.unpack_from("<I", data, 66)[0]
    return ImageHeader("BMP", abs(width), abs(height), BMP_SAMPLE_BITS if bits == 16 else min(bits, 8),
                       1 if bits <= 8 else 3, int(bool(alpha)), has_palette=bits <= 8)


def _webp(data: bytes) -> ImageHeader | None:
    if data[8:12] != b"WEBP":
        return None
    further, orientation, pictures, size = False, 1, 0, (0, 0)
    for kind, start, end in riff_chunks(data):
        if kind == b"VP8X":
            further = bool(data[start] & 0x10)
            width, height = (1 + int.from_bytes(data[at:at + 3], "little") for at in (start + 4, start + 7))
            size = width, height
        elif kind == b"EXIF":
            orientation = tiff.orientation(data[start:end])
        elif kind == b"ANMF":
            pictures += 1
        elif kind == b"VP8L" and size == (0, 0):
            (packed,) = struct.unpack_from("<I", data, start + 1)
            size, further = (1 + (packed & 0x3FFF), 1 + (packed >> 14 & 0x3FFF)), bool(packed >> 28 & 1)
        elif kind == b"VP8 " and size == (0, 0):
            width, height = struct.unpack_from("<HH", data, start + 6)
            size = width & 0x3FFF, height & 0x3FFF
    return ImageHeader("WebP", *size, further=int(further), orientation=orientation, pictures=max(pictures, 1))


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start, end) of the chunks of a WebP file."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, at + 8, at + 8 + length
        at += 8 + length + length % 2


def _jpeg_2000(data: bytes) -> ImageHeader | None:
    found = JPEG_2000.search(data)
    if found is None:
        return None
    right, bottom, left, top, tile_width, tile_height, _, _ = struct.unpack(">8I", found[1])
    bands, sample = int.from_bytes(found[2], "big"), found[3][0]
    colours = 1 if bands < 3 else 3
    return ImageHeader("JPEG 2000", max(right - left, 0), max(bottom - top, 0), 1 + (sample & 0x7F), colours,
                       bands - colours, "signed" if sample & 0x80 else "whole",
                       tile=min(tile_width, right) * min(tile_height, bottom))


def _pnm(data: bytes) -> ImageHeader | None:
    found = pnm.pnm_header(data)
    if found is None:
        return None
    is_bitmap = found.highest_at is None  # which OpenCV stretches
    white = None if is_bitmap or found.highest in (255, 65535) else found.highest
    return ImageHeader("PNM", found.width, found.height, max(8, found.highest.bit_length()), found.bands,
                       pictures=1 + found.several, white=white)


def _tiff(data: bytes) -> ImageHeader | None:
    pages = list(tiff.directories(data))
    if not pages:
        return None
    first, *others = pages
    photometric, bands = first.first(262, 1), first.first(277, 1)
    colours = min(TIFF_COLOURS.get(photometric, 1), bands)
    further_pictures = [page for page in others if not page.first(254, 0) & (TIFF_REDUCED | TIFF_MASK)]
    return ImageHeader("TIFF", first.first(256, 0), first.first(257, 0), max(first.values.get(258, (1,))), colours,
                       bands - colours, TIFF_KINDS.get(first.first(339, 1), "complex"), first.orientation,
                       1 + len(further_pictures), photometric == TIFF_PALETTE,
                       first.first(322, 0) * first.first(323, 0), photometric == TIFF_ZERO_IS_WHITE,
                       in_planes=bands > 1 and first.first(284, 1) == TIFF_PLANES)


_READERS: dict[bytes, Callable[[bytes], ImageHeader | None]] = {
    PNG_SIGNATURE: _png, JPEG_SIGNATURE: _jpeg, b"BM": _bmp, b"RIFF": _webp, b"II*\0": _tiff, b"MM\0*": _tiff,
    b"II+\0": _tiff, b"MM\0+": _tiff, b"\xff\x4f\xff\x51": _jpeg_2000, b"\0\0\0\x0cjP": _jpeg_2000,
    **{b"P%d" % kind: _pnm for kind in range(1, 7)}}
