"""Pictures without labels, to try a network on; all are uint8 RGB (H, W, 3) and read when they are asked for."""

from collections.abc import Iterable, Iterator

import numpy as np

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem, name_below, only_one
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.files import StrPath
from segnet_hpu.samples.scene import draw_scene

DRAWN = 8


class PictureFolder:
    """The pictures in and below a folder as a source without labels: source[i] is (image, None).

    leave: a folder below it that is passed over. Raises UsageError for a folder without pictures, or with two of one
    name.
    """

    def __init__(self, folder: StrPath, coding: ImageCoding = PLAIN, leave: StrPath | None = None) -> None:
        self.coding, self._folder = coding, folder
        self.paths = sorted(only_one(folder, files_by_stem(folder, IMAGE_FORMATS, leave=leave)).values())

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[np.ndarray, None]:
        return read_image(self.paths[i], coding=self.coding), None

    def name(self, i: int) -> str:
        """Return the file's name without its ending, with the folders below that of the pictures: a_b_stem."""
        return name_below(self.paths[i], self._folder)


def spread_pictures(folder: StrPath, at_most: int) -> list[str]:
    """Return the paths of at most so many pictures of a folder, evenly spread over its names.

    Raises UsageError for a folder without pictures.
    """
    paths = [path for paths in files_by_stem(folder, IMAGE_FORMATS).values() for path in paths]
    count = min(at_most, len(paths))
    return [paths[i * len(paths) // count] for i in range(count)]


def read_pictures(paths: Iterable[str], coding: ImageCoding) -> Iterator[np.ndarray]:
    """Yield the pictures of files; raises UsageError for one that cannot be read."""
    return (read_image(path, coding=coding) for path in paths)


def drawn_pictures() -> Iterator[np.ndarray]:
    """Yield the first street scenes of the sample data, (360, 480, 3)."""
    for i in range(DRAWN):
        yield draw_scene(0, i)[0]
