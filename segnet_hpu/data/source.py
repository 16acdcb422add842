"""Where samples come from: images with their labels, read one at a time."""

import copy
import os
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.file_pairs import Pair, pair_paths, stem_of
from segnet_hpu.data.images import BadFile, read_image, read_label
from segnet_hpu.files import StrPath


class Sample(NamedTuple):
    """image: uint8 (H, W, 3) RGB. label: uint8 (H, W), class ids."""

    image: np.ndarray
    label: np.ndarray


class Source(Protocol):
    """What a loader, a survey of labels and an evaluation read from."""

    pairs: list[Pair]

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> Sample:
        """Return sample i; raises UsageError for a file that cannot be used."""

    def label(self, i: int) -> np.ndarray:
        """Return label i alone, uint8 (H, W)."""

    def name(self, i: int) -> str:
        """Return a name of sample i that no other has."""


class LabelReader(Protocol):
    """A data set as DataSetSource needs it."""

    def read_label(self, path: str) -> np.ndarray:
        """Return a label file's training ids, uint8 (H, W)."""


class FolderSource:
    """A Source of two folders, paired by stem; raises UsageError as `pair_paths` does."""

    pairs: list[Pair]

    def __init__(self, images_dir: StrPath, labels_dir: StrPath) -> None:
        self.pairs = pair_paths(images_dir, labels_dir)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, i: int) -> Sample:
        """Return (image uint8 (H, W, 3) RGB, label uint8 (H, W)); raises UsageError if sizes differ."""
        image_path, label_path = self.pairs[i]
        image, label = read_image(image_path), self.label(i)
        if image.shape[:2] != label.shape:
            raise wrong_size(label_path, label, image_path, image)
        return Sample(image, label)

    def label(self, i: int) -> np.ndarray:
        """Return label i alone, uint8 (H, W)."""
        return read_label(self.pairs[i][1])

    def name(self, i: int) -> str:
        """Return the stem that names pair i."""
        return stem_of(self.pairs[i][0])


class DataSetSource(FolderSource):
    """A Source of a data set's split, labels of training ids, 255 void."""

    def __init__(self, dataset: LabelReader, pairs: Sequence[tuple[str, str]]) -> None:
        self.dataset, self.pairs = dataset, [Pair(*pair) for pair in pairs]
        self.void_id = VOID
        images = [pair.image for pair in self.pairs]
        alike = len(set(map(stem_of, images))) < len(images)
        self._above = os.path.commonpath(map(os.path.dirname, images)) if alike else None

    def name(self, i: int) -> str:
        """Return the stem that names pair i; with its folders, a_b_stem, where stems are not unique."""
        image = self.pairs[i].image
        if self._above is None:
            return stem_of(image)
        return os.path.splitext(os.path.relpath(image, self._above))[0].replace(os.sep, "_")

    def label(self, i: int) -> np.ndarray:
        """Return label i: training ids, uint8 (H, W)."""
        label = self.read(i)
        return label if self.void_id == VOID else np.where(label == self.void_id, np.uint8(VOID), label)

    def read(self, i: int) -> np.ndarray:
        """Return label i as the data set has it."""
        return self.dataset.read_label(self.pairs[i].label)

    def ignoring(self, label: int | None) -> "DataSetSource":
        """Return this source with one more training id, or None, made VOID."""
        other = copy.copy(self)
        other.void_id = VOID if label is None else label
        return other


def wrong_size(label_path: StrPath, label: np.ndarray, image_path: StrPath, image: np.ndarray) -> BadFile:
    """Return the error for a label whose size is not its image's."""
    (height, width), (image_height, image_width) = label.shape[:2], image.shape[:2]
    return BadFile(label_path, f"is {width}x{height} but {image_path} is {image_width}x{image_height}",
                   "make the label at its image's size (resize with nearest neighbour)")
