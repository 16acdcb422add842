"""Netpbm's files, PBM, PGM and PPM: their headers, and their numbers as they are stored."""

import re
from typing import NamedTuple

BLANK = rb"(?:\s|#[^\n]*\n)+"
HEADER = re.compile(rb"P([1-6])" + 2 * (BLANK + rb"(\d{1,9})"))
HIGHEST = re.compile(BLANK + rb"(\d{1,9})\s")
MAGIC = re.compile(rb"P[1-6]\s")


class PnmHeader(NamedTuple):
    """width, height: pixels. bands: 1 or 3. highest: the number that is white; and where it stands, None in PBM.

    several: whether further pictures follow the first.
    """

    width: int
    height: int
    bands: int
    highest: int
    highest_at: tuple[int, int] | None
    several: bool


def pnm_header(data: bytes) -> PnmHeader | None:
    """Return the header of a file's bytes; None for others and for one that is cut short."""
    found = HEADER.match(data)
    if found is None:
        return None
    kind, width, height = map(int, found.groups())
    bands = 3 if kind in (3, 6) else 1
    if kind in (1, 4):
        length = (width + 7) // 8 * height if kind == 4 else len(data)
        return PnmHeader(width, height, bands, 1, None, _goes_on(data, found.end() + 1 + length))
    last = HIGHEST.match(data, found.end())
    if last is None:
        return None
    highest = int(last[1])
    length = width * height * bands * (2 if highest > 255 else 1) if kind > 4 else len(data)
    return PnmHeader(width, height, bands, highest, last.span(1), _goes_on(data, last.end() + length))


def as_stored(data: bytes) -> bytes:
    """Return a file's bytes such that OpenCV yields the numbers in it: it stretches those of texts to 255."""
    header = pnm_header(data)
    if header is None or header.highest_at is None or header.highest > 255:
        return data
    start, end = header.highest_at
    return data[:start] + b"255" + data[end:]


def _goes_on(data: bytes, end: int) -> bool:
    """Whether another picture begins at or after the end of the first."""
    return MAGIC.match(data[end:end + 64].lstrip()) is not None
