"""PNG and BMP files made byte by byte, so that what OpenCV cannot write can be read back in tests."""

import struct
import zlib


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(samples, depth=8, colour_type=0, palette=None, width=None):
    """Return a PNG's bytes. samples: integers (H, W), below 2**depth. palette: bytes R, G, B, R, ..."""
    rows = b""
    for row in samples:
        bits = "".join(format(int(value), f"0{depth}b") for value in row)
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    width = len(samples[0]) if width is None else width
    header = struct.pack(">IIBBBBB", width, len(samples), depth, colour_type, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    if palette:
        parts[1:1] = [(b"PLTE", palette), (b"tRNS", b"\0\x80")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def bmp_with_palette(ids, colours):
    """An 8-bit BMP; colours: uint8 (256, 3) RGB."""
    height, width = ids.shape
    rows = b"".join(row.tobytes() + bytes(-width % 4) for row in ids[::-1])
    table = b"".join(bytes([b, g, r, 0]) for r, g, b in colours)
    start = 54 + len(table)
    return (b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start)
            + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 0, len(rows), 0, 0, 256, 0) + table + rows)
