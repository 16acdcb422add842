"""Damage within a JPEG's compressed data, which libjpeg tells the standard error stream and no caller of OpenCV."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

from segnet_hpu.data.containers import JPEG_SIGNATURE
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.errors import warn

FILES = 256  # of one process
WORDS = re.compile(rb"^Corrupt JPEG data: (.+)$|^(Premature end of JPEG file)", re.MULTILINE)
HARMLESS = "extraneous bytes"  # between whole pictures' data and a marker, as some cameras and tools leave them
# At an eighth of the size all data are read, in a fraction of the time. A zero byte separates the files.
DECODE = """
import os, sys, cv2, numpy
for path in sys.stdin.buffer.read().split(b"\\0"):
    os.write(2, b"\\0")
    cv2.imdecode(numpy.fromfile(path, numpy.uint8), cv2.IMREAD_REDUCED_GRAYSCALE_8)
"""


def corrupt_jpegs(paths: Sequence[str]) -> dict[str, str]:
    """Return {path: what its decoder says} of those of readable image files that are JPEGs with corrupt data.

    The files are decoded in processes of their own, whose standard error stream is read.
    """
    jpegs = [path for path in paths if _is_jpeg(path)]
    parts = [jpegs[start:start + FILES] for start in range(0, len(jpegs), FILES)]
    return dict(found for part in prefetched(_corrupt, parts, CORES, CORES) for found in part)


def warn_of_corrupt(paths: Sequence[str]) -> None:
    """Warn of those of readable image files that are JPEGs with corrupt data."""
    corrupt = corrupt_jpegs(paths)
    if corrupt:
        path = next(iter(corrupt))
        warn(f"{len(corrupt)} of {len(paths)} images are JPEGs with damaged data, such as {path} ({corrupt[path]}): "
             "what is found in them may be wrong; copy them anew")


def _is_jpeg(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(len(JPEG_SIGNATURE)) == JPEG_SIGNATURE


def _corrupt(paths: Sequence[str]) -> list[tuple[str, str]]:
    names = b"\0".join(os.fsencode(path) for path in paths)
    said = subprocess.run([sys.executable, "-c", DECODE], input=names, stderr=subprocess.PIPE, check=True).stderr
    return list(_words(paths, said.split(b"\0")[1:]))


def _words(paths: Sequence[str], said: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    for path, text in zip(paths, said, strict=True):
        found = WORDS.search(text)
        if found:
            yield path, (found[1] or found[2]).decode(errors="replace").strip()
