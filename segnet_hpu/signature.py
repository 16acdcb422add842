"""Files that this package wrote, told from other people's: by what a format has for its author, or how they begin."""

import os
import re
import struct
import zlib

from segnet_hpu.errors import UsageError

AUTHOR = b"segnet_hpu"
PNG_SOFTWARE = b"tEXtSoftware\0" + AUTHOR
JPEG_COMMENT = b"\xff\xfe" + struct.pack(">H", 2 + len(AUTHOR)) + AUTHOR
GENERATOR = f'<meta name="generator" content="{AUTHOR.decode()}">'  # of a page
SETTINGS_COMMENT = f"# Settings of a training, written by {AUTHOR.decode()}.\n"  # first in YAML
MARKS = (PNG_SOFTWARE, JPEG_COMMENT, GENERATOR.encode())
BEGINNING = re.compile(rb"|".join((
    SETTINGS_COMMENT.encode(),
    rb"# Trial \d+ of the search in ",
    rb'\{\s+"pixel_accuracy": \S+,\s+"mean_accuracy": \S+,\s+"mean_iou": ',  # scores
    rb'\{\s+"images": \d+,\s+"pixels": \d+,\s+"void": \{',  # statistics
    rb'\{\s+"pairs": \d+,\s+"faults": \[',  # of verify_dataset
    rb'\[\s+\{\s+"name": "[^"]+",\s+"encoder": [^\n]+\s+"decoder": ',  # models
    rb'\[\s+\{"name": "process_name", "ph": "M"')))  # Horovod's timeline
# Of videos, by their suffix: a part of their format that players pass over.
VIDEO_ENDS = {".mp4": struct.pack(">I4s", 8 + len(AUTHOR), b"free") + AUTHOR,
              ".avi": b"JUNK" + struct.pack("<I", len(AUTHOR)) + AUTHOR}
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
    """Return whether a file is empty, bears one of the marks, or begins or ends as what this package writes.

    Raises UsageError where it may not be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            file.seek(max(0, os.fstat(file.fileno()).st_size - HEAD))
            end = file.read(HEAD)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}), to see whether it may be replaced; choose "
                         "another name") from None
    if head.startswith(b"PK"):
        return head.startswith(NUMBERS, ZIP_HEADER)
    if end.endswith(tuple(VIDEO_ENDS.values())):
        return True
    return not head or BEGINNING.match(head) is not None or any(mark in head for mark in MARKS)
