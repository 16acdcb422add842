"""What OpenCV hides about PNG, JPEG and BMP files: truncation and palette indices.

OpenCV decodes what there is of a broken file without a word, and turns palette indices (PASCAL VOC's
class ids) into colours. Both can be told from the file's structure alone.
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator

from segnet_hpu.data.colours import Colour

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
# In a JPEG's compressed data FF 00 is a stuffed byte, FF D0..D7 a restart and FF FF a filler.
JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
JPEG_SCAN, JPEG_END = 0xDA, 0xD9
GREY, PALETTE = 0, 3  # PNG colour types


def damage(data: bytes) -> str | None:
    """Return what is wrong with the structure of a PNG, JPEG or BMP file's bytes, or None.

    Finds missing ends in all three and altered bytes in PNG (by its checksums). Other formats: None.
    """
    if data.startswith(PNG_SIGNATURE):
        return _png_damage(data)
    if data.startswith(JPEG_SIGNATURE):
        return _jpeg_damage(data)
    if data.startswith(b"BM") and len(data) >= 30:
        return _bmp_damage(data)
    return None


def grey_scale(data: bytes) -> int:
    """Return the factor by which OpenCV stretches this file's grey samples: 255 for a 1-bit PNG, else 1.

    PNG of 1, 2 or 4 bits is stretched to 0..255; class ids are the samples as stored.
    """
    bits = grey_bits(data)
    return 255 // (2 ** bits - 1) if bits and bits < 8 else 1


def grey_bits(data: bytes) -> int | None:
    """Return the bits of a sample, 1 to 16, of a PNG file that is grey; None for others. data: 26 bytes suffice."""
    return data[24] if data.startswith(PNG_SIGNATURE) and len(data) > 25 and data[25] == GREY else None


def indices_as_grey(data: bytes) -> bytes:
    """Return the file with its palette indices as the grey values; unchanged if it has no palette."""
    if data.startswith(PNG_SIGNATURE) and len(data) > 25 and data[25] == PALETTE:
        return _png_indices_as_grey(data)
    if data.startswith(b"BM") and len(data) > 54 and struct.unpack_from("<H", data, 28)[0] <= 8:
        return _bmp_indices_as_grey(data)
    return data


def palette(data: bytes) -> list[Colour] | None:
    """Return the colours of a PNG's or BMP's indices; None for others. data: up to its pixels."""
    if data.startswith(PNG_SIGNATURE) and len(data) > 25 and data[25] == PALETTE:
        content = next((data[start:end] for kind, start, end in png_parts(data) if kind == b"PLTE"), b"")
        return list(zip(content[0::3], content[1::3], content[2::3], strict=False))
    if data.startswith(b"BM") and len(data) > 54 and struct.unpack_from("<H", data, 28)[0] <= 8:
        (header_size,) = struct.unpack_from("<I", data, 14)
        entries = data[14 + header_size:struct.unpack_from("<I", data, 10)[0]] if header_size >= 40 else b""
        return list(zip(entries[2::4], entries[1::4], entries[0::4], strict=False))
    return None


def is_coloured(palette: Iterable[Colour]) -> bool:
    """Return whether a palette holds other colours than greys."""
    return any(len(set(colour)) > 1 for colour in palette)


def with_palette(data: bytes, colours: Iterable[Colour]) -> bytes:
    """Return an 8-bit grey PNG as one with a palette: its values become indices. colours: up to 256 RGB triples."""
    chunks = [(kind, content) for kind, content, _ in png_chunks(data)]
    header = chunks[0][1]
    chunks[:1] = [(b"IHDR", header[:9] + bytes([PALETTE]) + header[10:]),
                  (b"PLTE", b"".join(map(bytes, colours)))]
    return PNG_SIGNATURE + b"".join(png_chunk(kind, content) for kind, content in chunks)


def png_parts(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start, end) of the contents of a PNG's chunks; stops where the file is cut."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start, at = at + 8, at + 12 + length
        if at > len(data):
            return
        yield kind, start, start + length


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield (type, content, checksum is right) of a PNG's chunks; stops where the file is cut."""
    for kind, start, end in png_parts(data):
        content = data[start:end]
        (checksum,) = struct.unpack_from(">I", data, end)
        yield kind, content, zlib.crc32(content, zlib.crc32(kind)) == checksum


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, start, end) of a JPEG's segments, a scan with its compressed data.

    Stops where one is damaged.
    """
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != JPEG_END:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        start, at = at + 4, at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        if marker == JPEG_SCAN:
            found = JPEG_MARKER.search(data, at)
            at = found.start() if found else len(data)
        yield marker, start, at


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return one PNG chunk as bytes."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _png_damage(data: bytes) -> str | None:
    if len(data) >= 24 and 0 in struct.unpack_from(">II", data, 16):
        return "of zero size"
    for kind, _, intact in png_chunks(data):
        if not intact:
            return f"damaged (wrong checksum in its {kind.decode('latin-1')} part)"
        if kind == b"IEND":
            return None
    return "truncated"


def _jpeg_damage(data: bytes) -> str | None:
    end = max((end for _, _, end in jpeg_segments(data)), default=2)
    while data[end:end + 2] == b"\xff\xff":
        end += 1
    if data[end:end + 2] == bytes([0xFF, JPEG_END]):
        return None
    is_cut = data[end:end + 1] in (b"", b"\xff")
    return "truncated" if is_cut else "damaged (no JPEG marker where one must be)"


def _bmp_damage(data: bytes) -> str | None:
    start, _, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", data.ljust(34, b"\0"), 10)
    if not width or not height:
        return "of zero size"
    if compression in (1, 2):  # run-length coded: bmp_runs.py looks into them, once their picture's size is known
        return None
    row = (abs(width) * bits + 31) // 32 * 4
    return "truncated" if len(data) < start + row * abs(height) else None


def _png_indices_as_grey(data: bytes) -> bytes:
    chunks = list(png_chunks(data))
    header = chunks[0][1]
    kept = [(kind, content) for kind, content, _ in chunks if kind in (b"IDAT", b"IEND")]
    kept.insert(0, (b"IHDR", header[:9] + bytes([GREY]) + header[10:]))
    return PNG_SIGNATURE + b"".join(png_chunk(kind, content) for kind, content in kept)


def _bmp_indices_as_grey(data: bytes) -> bytes:
    (header_size,) = struct.unpack_from("<I", data, 14)
    bits, used = struct.unpack_from("<H", data, 28)[0], struct.unpack_from("<I", data, 46)[0]
    if header_size < 40:
        return data
    start, count = 14 + header_size, used or 2 ** bits
    grey = b"".join(bytes([i, i, i, 0]) for i in range(count))
    return data[:start] + grey + data[start + len(grey):]
