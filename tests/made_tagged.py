"""Image files with orientation tags, bands and depths that OpenCV does not write, made byte by byte."""

import struct

import cv2
import numpy as np

from made_png import chunk

ORIENTATION = 274


def tiff(pixels, tag=1, order="<", pages=1, size=None, more=()):
    """Return an uncompressed TIFF's bytes: `pages` directories of one picture.

    pixels: (H, W) or (H, W, C) RGB, unsigned, signed or float. size: (W, H) that the header claims. more: further
    entries {tag: value}.
    """
    pixels = np.atleast_3d(pixels)
    height, width, bands = pixels.shape
    body = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(order)).tobytes()
    entries = {256: width, 257: height, 259: 1, 262: 2 if bands >= 3 else 1, ORIENTATION: tag, 277: bands,
               278: height, 279: len(body), 339: {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind], **dict(more)}
    if size:
        entries[256], entries[257] = size
    length = 2 + 12 * (len(entries) + 2) + 4
    bits_at = 8 + pages * length
    bits = struct.pack(f"{order}{bands}H", *[8 * pixels.dtype.itemsize] * bands)
    rows = {number: struct.pack(f"{order}HHII", number, 4, 1, value) for number, value in entries.items()}
    rows[ORIENTATION] = struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, tag, 0)
    rows[258] = struct.pack(f"{order}HHI", 258, 3, bands) + (
        bits.ljust(4, b"\0") if bands <= 2 else struct.pack(f"{order}I", bits_at))
    rows[273] = struct.pack(f"{order}HHII", 273, 4, 1, bits_at + len(bits))
    listed = b"".join(rows[number] for number in sorted(rows))
    directories = b"".join(
        struct.pack(f"{order}H", len(rows)) + listed
        + struct.pack(f"{order}I", 8 + page * length if page < pages else 0) for page in range(1, pages + 1))
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HI", 42, 8) + directories + bits + body


def exif(tag, order="<"):
    """Return Exif data, a TIFF of one entry."""
    first = struct.pack(f"{order}HHIHH", ORIENTATION, 3, 1, tag, 0)
    return {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", 42, 8, 1) + first + bytes(4)


def jpeg(pixels, tag, order="<"):
    """Return a JPEG of BGR pixels with the tag in its Exif segment."""
    data, content = cv2.imencode(".jpg", pixels)[1].tobytes(), b"Exif\0\0" + exif(tag, order)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + data[2:]


def png(pixels, tag, order="<"):
    """Return a PNG of BGR pixels with the tag in its eXIf chunk."""
    data = cv2.imencode(".png", pixels)[1].tobytes()
    end = data.rindex(b"IEND") - 4
    return data[:end] + chunk(b"eXIf", exif(tag, order)) + data[end:]


def webp(pixels, tag, order="<"):
    """Return a lossless WebP of BGR pixels with the tag in its EXIF chunk."""
    height, width = pixels.shape[:2]
    picture = cv2.imencode(".webp", pixels, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()[12:]
    picture = picture[picture.index(b"VP8L"):]
    sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
    content = exif(tag, order)
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0x08) + sides + picture
    body += b"EXIF" + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body
