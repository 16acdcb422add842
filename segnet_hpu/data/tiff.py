"""TIFF's directories: of TIFF files, and of the Exif data that PNG, JPEG and WebP files carry."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

ORIENTATION = 274
UNSIGNED = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}  # TIFF's types that are whole numbers, as struct has them
MOST_ENTRIES = 1 << 20  # of all directories, which may lie over each other in a malicious file
MOST_VALUES = 16  # of a tag; what is longer says where the pixels lie


@dataclass(frozen=True)
class Directory:
    """values: {tag: its first whole numbers}. places: {tag: where the first of them stands}, in bytes.

    formats: {tag: how all of them are stored, as struct has it}.
    """

    order: str
    values: dict[int, tuple[int, ...]]
    places: dict[int, int]
    formats: dict[int, str]

    def first(self, tag: int, default: int) -> int:
        """Return the first number of a tag, or `default` where it is not there."""
        return self.values.get(tag, (default,))[0]

    @property
    def orientation(self) -> int:
        """1 for pixels that lie as they are seen, 2 to 8 for others; 1 for what is none of these."""
        tag = self.first(ORIENTATION, 1)
        return tag if 1 <= tag <= 8 else 1


def directories(data: bytes) -> Iterator[Directory]:
    """Yield the directories of TIFF or BigTIFF data, as far as they are sound."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None or len(data) < 16:
        return
    big = struct.unpack_from(f"{order}H", data, 2)[0] == 43
    word, first = ("Q", 8) if big else ("I", 4)
    (at,) = struct.unpack_from(order + word, data, first)
    seen: set[int] = set()
    entries = 0
    try:
        while at and at not in seen and entries < MOST_ENTRIES:
            seen.add(at)
            directory, end = _directory(data, at, order, word)
            yield directory
            entries += (end - at) // (4 + 2 * struct.calcsize(order + word))
            (at,) = struct.unpack_from(order + word, data, end)
    except struct.error:  # cut short, or no directory at all
        return


def orientation(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that Exif data tells; 1 where it tells none."""
    first = next(directories(exif.removeprefix(b"Exif\0\0")), None)
    return first.orientation if first else 1


def numbers(data: bytes, directory: Directory, tag: int) -> tuple[int, ...]:
    """Return all numbers of a tag; none where it is not there, or does not lie within the data."""
    if tag not in directory.values:
        return ()
    try:
        return struct.unpack_from(directory.formats[tag], data, directory.places[tag])
    except struct.error:
        return ()


def without_orientation(data: bytes) -> bytes:
    """Return a TIFF file whose first directory calls its pixels upright."""
    first = next(directories(data), None)
    if first is None or first.first(ORIENTATION, 1) == 1:
        return data
    place = first.places[ORIENTATION]
    return data[:place] + struct.pack(f"{first.order}H", 1) + data[place + 2:]


def _directory(data: bytes, at: int, order: str, word: str) -> tuple[Directory, int]:
    """Return the directory at a place, and where the next one's place stands."""
    count_format = "Q" if word == "Q" else "H"
    (count,) = struct.unpack_from(order + count_format, data, at)
    at += struct.calcsize(order + count_format)
    field = struct.calcsize(order + word)
    values: dict[int, tuple[int, ...]] = {}
    places: dict[int, int] = {}
    formats: dict[int, str] = {}
    for _ in range(count):
        tag, kind, length = struct.unpack_from(f"{order}HH{word}", data, at)
        at += 4 + field
        if kind in UNSIGNED and length:
            place = at
            if length * struct.calcsize(order + UNSIGNED[kind]) > field:
                (place,) = struct.unpack_from(order + word, data, at)
            values[tag] = struct.unpack_from(f"{order}{min(length, MOST_VALUES)}{UNSIGNED[kind]}", data, place)
            places[tag], formats[tag] = place, f"{order}{length}{UNSIGNED[kind]}"
        at += field
    return Directory(order, values, places, formats), at
