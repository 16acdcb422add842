"""Files that this package wrote, told from other people's: by the field that a format has for its author, or keys."""

import struct
import zlib

from segnet_hpu.errors import UsageError

AUTHOR = b"segnet_hpu"
PNG_SOFTWARE = b"tEXtSoftware\0" + AUTHOR
JPEG_COMMENT = b"\xff\xfe" + struct.pack(">H", 2 + len(AUTHOR)) + AUTHOR
GENERATOR = f'<meta name="generator" content="{AUTHOR.decode()}">'  # of a page
SETTING = b"\ntrain_annotations: "  # of a training's YAML
MARKS = (PNG_SOFTWARE, JPEG_COMMENT, GENERATOR.encode(), SETTING)
# Of JSON: of scores and statistics, of faults, of a list of models, of Horovod's timeline.
KEYS = (b'"mean_iou"', b'"pixels"', b'"faults"', b'"encoder"', b'"ph"')
NUMBERS = b"mean.npy"  # first in the file of a sampled prediction
HEAD = 4096  # bytes that hold a mark
PNG_HEADER, JPEG_HEADER, ZIP_HEADER = 33, 20, 30  # bytes before it


def signed(picture: bytes) -> bytes:
    """Return a PNG or JPEG file's bytes, as OpenCV wrote them, with this package named as their software.

    Other formats are returned as they are.
    """
    if picture.startswith(b"\x89PNG"):
        chunk = struct.pack(">I", len(PNG_SOFTWARE) - 4) + PNG_SOFTWARE + struct.pack(">I", zlib.crc32(PNG_SOFTWARE))
        return picture[:PNG_HEADER] + chunk + picture[PNG_HEADER:]
    if picture.startswith(b"\xff\xd8\xff\xe0"):
        return picture[:JPEG_HEADER] + JPEG_COMMENT + picture[JPEG_HEADER:]
    return picture


def is_replaceable(path: str) -> bool:
    """Return whether a file is empty or bears one of the marks.

    Raises UsageError where it may not be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}), to see whether it may be replaced; choose "
                         "another name") from None
    if head.startswith(b"PK"):
        return head.startswith(NUMBERS, ZIP_HEADER)
    marks = KEYS if head.startswith((b"{", b"[")) else MARKS
    return not head or any(mark in head for mark in marks)
