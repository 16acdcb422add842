"""Files that this package wrote, told from other people's: by what a format has for its author, or how they begin."""

import os
import re
import struct
import zlib
from pathlib import Path

from segnet_hpu.errors import UsageError

AUTHOR = b"segnet_hpu"
PNG_SOFTWARE = b"tEXtSoftware\0" + AUTHOR
JPEG_COMMENT = b"\xff\xfe" + struct.pack(">H", 2 + len(AUTHOR)) + AUTHOR
CHECKSUM = AUTHOR + b" checksum\0"  # followed by eight digits, of the picture's file without what is added here
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

    A checksum goes with the name, by which a picture shows that somebody has edited it. Other formats are returned as
    they are.
    """
    checksum = CHECKSUM + f"{zlib.crc32(picture):08x}".encode()
    if picture.startswith(b"\x89PNG"):
        return picture[:PNG_HEADER] + _chunk(b"tEXt" + checksum) + _chunk(PNG_SOFTWARE) + picture[PNG_HEADER:]
    if picture.startswith(b"\xff\xd8\xff\xe0"):
        comment = b"\xff\xfe" + struct.pack(">H", 2 + len(checksum)) + checksum
        return picture[:JPEG_HEADER] + comment + JPEG_COMMENT + picture[JPEG_HEADER:]
    return picture


def _chunk(content: bytes) -> bytes:
    """A PNG chunk. content: its kind, four bytes, and what it holds."""
    return struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))


def _is_edited(picture: bytes) -> bool:
    """Whether a signed picture is not as `signed` returned it; earlier ones without a checksum count as unchanged."""
    if CHECKSUM not in picture[:HEAD]:
        return False
    header = PNG_HEADER if picture.startswith(b"\x89PNG") else JPEG_HEADER
    added = len(signed(picture[:header])) - header
    return signed(picture[:header] + picture[header + added:]) != picture


def kind_of(path: str) -> str | None:
    """Return which kind of file of this package lies at `path`: "" for an empty one, None for other people's.

    Its marks tell, or how it begins or ends. A picture that was edited since it was written is its editor's. Raises
    UsageError where it may not be read.
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
    if PICTURE in kinds and _is_edited(Path(path).read_bytes()):
        return None
    return kinds[0] if kinds else None
