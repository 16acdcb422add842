"""Damage of a TIFF file's compressed pixels, which OpenCV passes over: it returns what it made of the rest."""

import zlib
from collections.abc import Callable, Iterator

from segnet_hpu.data import containers, tiff
from segnet_hpu.data.lzw import lzw_length

WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, BANDS = 256, 257, 258, 259, 262, 277  # tags
STRIPS, STRIP_SIZES, STRIP_ROWS, FILL_ORDER, PLANES = 273, 279, 278, 266, 284
TILES, TILE_SIZES, TILE_WIDTH, TILE_HEIGHT = 324, 325, 322, 323
NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 7, 8, 32946, 32773  # compressions
SUBSAMPLED, MIRRORED = 6, 2  # a photometric interpretation, and a fill order

_sound: set[int] = set()  # hashes of files that were looked into: training reads them anew in every epoch


def tiff_damage(data: bytes) -> str | None:
    """Return what is wrong with the pixels of a TIFF file's first picture, or None.

    Sure for Deflate, by its checksums. Of LZW and PackBits known where a code or the number of bytes is wrong, of
    uncompressed pixels where some are missing, of JPEG what `containers.damage` knows; other compressions: None.
    """
    if hash(data) in _sound:
        return None
    damage = _pixel_damage(data)
    if damage is None:
        _sound.add(hash(data))
    return damage


def _pixel_damage(data: bytes) -> str | None:
    first = next(tiff.directories(data), None)
    if first is None or first.first(COLOURS, 1) == SUBSAMPLED and first.first(COMPRESSION, NONE) != JPEG:
        return None
    compression = first.first(COMPRESSION, NONE)
    length_of = _LENGTHS.get(compression)
    if compression == JPEG:
        return next(filter(None, (containers.damage(part) for part, _, _ in _parts(data, first))), None)
    if length_of is None or (first.first(FILL_ORDER, 1) == MIRRORED and compression != NONE):
        return None
    for part, expected, most in _parts(data, first):
        if not part and expected:
            return "truncated or damaged (pixels are missing)"
        length = length_of(part, most)
        if length is None or not expected <= length <= most:
            return "damaged (a part of its pixels is wrong or missing)"
    return None


def _parts(data: bytes, first: tiff.Directory) -> Iterator[tuple[bytes, int, int]]:
    """Yield (compressed bytes, bytes of pixels at least, bytes of pixels at most) of the strips or tiles."""
    tiled = TILES in first.values
    starts, sizes = (tiff.numbers(data, first, tag)
                     for tag in ((TILES, TILE_SIZES) if tiled else (STRIPS, STRIP_SIZES)))
    bands, height, width = first.first(BANDS, 1), first.first(HEIGHT, 0), first.first(WIDTH, 0)
    planes = bands if first.first(PLANES, 1) == 2 else 1
    part_height = first.first(TILE_HEIGHT, 1) if tiled else min(first.first(STRIP_ROWS, height), height)
    part_width = first.first(TILE_WIDTH, 1) if tiled else width
    row = (part_width * first.first(BITS, 1) * (bands // planes) + 7) // 8
    down = -(-height // max(part_height, 1))
    count = planes * down * (-(-width // max(part_width, 1)) if tiled else 1)
    if not starts or not sizes:
        return
    for i in range(count):
        rows = part_height if tiled else min(part_height, height - i % down * part_height)
        known = i < min(len(starts), len(sizes))
        yield data[starts[i]:starts[i] + sizes[i]] if known else b"", row * rows, row * part_height


def _deflate_length(part: bytes, most: int) -> int | None:
    decoder = zlib.decompressobj()
    try:
        length = len(decoder.decompress(part, most + 1))
    except zlib.error:
        return None
    return length if decoder.eof else None


def _packbits_length(part: bytes, most: int) -> int | None:
    at = length = 0
    while at < len(part) and length < most:
        count = part[at]
        at += 2 if count > 128 else 1 if count == 128 else 2 + count
        length += 257 - count if count > 128 else 0 if count == 128 else 1 + count
    return length if at <= len(part) else None


_LENGTHS: dict[int, Callable[[bytes, int], int | None]] = {
    NONE: lambda part, most: min(len(part), most), LZW: lzw_length, PACKBITS: _packbits_length,
    DEFLATE: _deflate_length, OLD_DEFLATE: _deflate_length}
