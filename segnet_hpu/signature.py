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
# Kinds of files, as messages call them.
PICTURE, PAGE, VIDEO, NUMBERS = "a picture", "a page", "a video", "the numbers of a sampled prediction"
SETTINGS, TRIAL, SCORES, STATISTICS = "settings of a training", "settings of a search", "scores", "statistics"
FAULTS, MODELS, TIMELINE, MODEL = "faults of a data set", "a table of models", "a timeline", "a model"
MARKS = {PNG_SOFTWARE: PICTURE, JPEG_COMMENT: PICTURE, GENERATOR.encode(): PAGE}
BEGINNINGS = {
    SETTINGS: re.compile(re.escape(SETTINGS_COMMENT.encode())),
    TRIAL: re.compile(rb"# Trial \d+ of the search in "),
    SCORES: re.compile(rb'\{\s+"pixel_accuracy": \S+,\s+"mean_accuracy": \S+,\s+"mean_iou": '),
    STATISTICS: re.compile(rb'\{\s+"images": \d+,\s+"pixels": \d+,\s+"void": \{'),
    FAULTS: re.compile(rb'\{\s+"pairs": \d+,\s+"faults": \['),
    MODELS: re.compile(rb'\[\s+\{\s+"name": "[^"]+",\s+"encoder": [^\n]+\s+"decoder": '),
    TIMELINE: re.compile(rb'\[\s+\{"name": "process_name", "ph": "M"')}
# Of videos, by their suffix: a part of their format that players pass over.
VIDEO_ENDS = {".mp4": struct.pack(">I4s", 8 + len(AUTHOR), b"free") + AUTHOR,
              ".avi": b"JUNK" + struct.pack("<I", len(AUTHOR)) + AUTHOR}
FIRST_ARRAY = b"mean.npy"  # in the file of a sampled prediction
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


def kind_of(path: str) -> str | None:
    """Return which kind of file of this package lies at `path`: "" for an empty one, None for other people's.

    Its marks tell, or how it begins or ends. Raises UsageError where it may not be read.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD)
            file.seek(max(0, os.fstat(file.fileno()).st_size - HEAD))
            end = file.read(HEAD)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}), to see whether it may be replaced; choose "
                         "another name") from None
    if not head:
        return ""
    if head.startswith(b"PK"):
        return NUMBERS if head.startswith(FIRST_ARRAY, ZIP_HEADER) else None
    if end.endswith(tuple(VIDEO_ENDS.values())):
        return VIDEO
    kinds = [kind for kind, beginning in BEGINNINGS.items() if beginning.match(head)]
    kinds += [kind for mark, kind in MARKS.items() if mark in head]
    return kinds[0] if kinds else None
