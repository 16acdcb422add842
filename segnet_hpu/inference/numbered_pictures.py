"""Numbered pictures as the frames of a video: read as pictures are, upright and refused by name."""

import itertools
import os
import re

import numpy as np

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.errors import warn

PATTERN = re.compile(r"[^%]*%0?\d*d[^%]*")
FIRST_NUMBERS = range(10)  # one of which the first picture has


def numbered_files(pattern: str) -> list[str]:
    """Return the files of a pattern such as frames_%04d.png, up to the first number that is missing.

    Empty where there is none, and for what is no such pattern. Warns of files with higher numbers.
    """
    if os.path.exists(pattern) or not PATTERN.fullmatch(pattern):
        return []
    first = next((number for number in FIRST_NUMBERS if os.path.isfile(pattern % number)), 0)
    files = list(itertools.takewhile(os.path.isfile, (pattern % number for number in itertools.count(first))))
    further = _count(pattern) - len(files)
    if files and further > 0:
        warn(f"{pattern % (first + len(files))} is missing: frames end with {files[-1]}, {further} more files of "
             f"{pattern} are not read")
    return files


def _count(pattern: str) -> int:
    """The number of files of a pattern, whatever their numbers; 0 where these are of folders."""
    folder, name = os.path.split(pattern)
    if "%" not in name:
        return 0
    before, after = re.split(r"%0?\d*d", name)
    numbered = re.compile(re.escape(before) + r"\d+" + re.escape(after))
    files = {entry.name for entry in os.scandir(folder or ".") if entry.is_file() and numbered.fullmatch(entry.name)}
    return sum(name % int(number[len(before):len(number) - len(after)]) == number for number in files)


class NumberedPictures:
    """The pictures of files one after another, by the methods of cv2.VideoCapture that a reader of frames needs."""

    def __init__(self, files: list[str], coding: ImageCoding) -> None:
        self.files, self.coding = iter(files), coding
        self.size: tuple[int, ...] | None = None

    def read(self) -> tuple[bool, np.ndarray]:
        """Return (True, uint8 (H, W, 3) BGR), or False and an empty array after the last.

        Raises BadFile for a file that cannot be used, or that has another size than the first.
        """
        path = next(self.files, None)
        if path is None:
            return False, np.zeros((0, 0, 3), np.uint8)
        frame = read_image(path, coding=self.coding)
        size = frame.shape[1::-1]
        self.size = self.size or size
        if size != self.size:
            raise BadFile(path, "is {}x{}, but the first frame is {}x{}".format(*size, *self.size),
                          "give frames of one size, or label them by predict")
        return True, np.ascontiguousarray(frame[..., ::-1])

    def release(self) -> None:
        """Do nothing: no file stays open."""
