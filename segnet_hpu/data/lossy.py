"""Files whose compression may have altered the values that were stored: no labels can be read from them."""

from segnet_hpu.data import tiff
from segnet_hpu.data.image_header import ImageHeader, riff_chunks

COMPRESSION = 259  # TIFF's tag; where it is missing, none
# None, CCITT's for two colours, LZW, Deflate (two numbers), PackBits, LZMA and Zstandard.
LOSSLESS_TIFF = {1, 2, 3, 4, 5, 8, 32946, 32771, 32773, 34925, 50000}


def lossy_format(data: bytes, header: ImageHeader) -> str | None:
    """Return the name, with its article, of a picture file's format if it may have altered values; else None.

    JPEG 2000 counts whole: that such a file was compressed without loss does not show in its header.
    """
    if header.format in ("JPEG", "JPEG 2000"):
        return f"a {header.format}"
    if header.format == "WebP" and any(kind == b"VP8 " for kind, _, _ in riff_chunks(data)):
        return "a lossy WebP"
    if header.format == "TIFF" and any(page.first(COMPRESSION, 1) not in LOSSLESS_TIFF
                                       for page in tiff.directories(data)):
        return "a TIFF of lossy compression"
    return None
