"""Where samples come from: images with their labels, read one at a time."""

import copy
import os
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from segnet_hpu.constants import VOID, void_ids
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair, name_below, pair_paths, stem_of
from segnet_hpu.data.images import read_image
from segnet_hpu.data.label_check import LabelCheck
from segnet_hpu.data.labels import of_8_bits, read_label_values
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

    @property
    def coded(self) -> bool:
        """Whether training ids come from other values or colours by a rule."""

    def read_label(self, path: str) -> np.ndarray:
        """Return a label file's training ids, uint8 (H, W)."""


class PairSource:
    """A Source of files in pairs, labels of class ids.

    label_check: what every label that is read must pass, None for nothing; see `checked`.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = [Pair(*pair) for pair in pairs]
        self.label_check: LabelCheck | None = None

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, i: int) -> Sample:
        """Return (image uint8 (H, W, 3) RGB, label uint8 (H, W)); raises UsageError if sizes differ."""
        image, label = self.image(i), self.label(i)
        if image.shape[:2] != label.shape:
            raise wrong_size(self.pairs[i].label, label, self.pairs[i].image, image)
        return Sample(image, label)

    def image(self, i: int) -> np.ndarray:
        """Return image i alone, uint8 (H, W, 3) RGB."""
        return read_image(self.pairs[i].image)

    def label(self, i: int) -> np.ndarray:
        """Return label i alone, uint8 (H, W); raises UsageError for one that the check refuses, if there is one."""
        path, ids = self.pairs[i].label, self.read(i)
        if self.label_check:
            self.label_check.check(path, ids)
        return of_8_bits(path, ids)

    def read(self, i: int) -> np.ndarray:
        """Return label i as its file has it, whole numbers (H, W)."""
        return read_label_values(self.pairs[i].label)

    def name(self, i: int) -> str:
        """Return the stem that names pair i."""
        return stem_of(self.pairs[i].image)

    def checked(self, n_classes: int | None, ignore_label: int | None = None) -> "PairSource":
        """Return this source with a check of every label that is read, as verify_dataset has it.

        n_classes: allowed ids are 0..n_classes-1, all for None. ignore_label: one more allowed id, and 255 with it;
        or None, neither. Call `finish_check` when all are read.
        """
        other = copy.copy(self)
        other.label_check = LabelCheck(n_classes, void_ids(ignore_label))
        return other

    def refuse_faulty_set(self) -> None:
        """Raise UsageError for what is wrong with all labels that were read together; see `checked`."""
        if self.label_check:
            self.label_check.refuse_faulty_set()

    def finish_check(self, class_names: Sequence[str] | None = None) -> None:
        """Raise as `refuse_faulty_set`, and warn of what is odd with the labels together."""
        if self.label_check:
            self.label_check.finish(class_names)


class FolderSource(PairSource):
    """A Source of two folders, paired by stem; raises UsageError as `pair_paths` does."""

    def __init__(self, images_dir: StrPath, labels_dir: StrPath) -> None:
        super().__init__(pair_paths(images_dir, labels_dir))
        self._folder = images_dir

    def name(self, i: int) -> str:
        """Return the stem that names pair i, with the folders below that of the images: a_b_stem."""
        return name_below(self.pairs[i].image, self._folder)


class DataSetSource(PairSource):
    """A Source of a data set's split, labels of training ids, 255 void."""

    def __init__(self, dataset: LabelReader, pairs: Sequence[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self.dataset, self.void_id = dataset, VOID
        images = [pair.image for pair in self.pairs]
        alike = len(set(map(stem_of, images))) < len(images)
        self._above = os.path.commonpath(map(os.path.dirname, images)) if alike else None

    def name(self, i: int) -> str:
        """Return the stem that names pair i; with its folders, a_b_stem, where stems are not unique."""
        image = self.pairs[i].image
        return stem_of(image) if self._above is None else name_below(image, self._above)

    def label(self, i: int) -> np.ndarray:
        """Return label i: training ids, uint8 (H, W)."""
        label = super().label(i)
        return label if self.void_id == VOID else np.where(label == self.void_id, np.uint8(VOID), label)

    def read(self, i: int) -> np.ndarray:
        """Return label i as the data set has it."""
        return self.dataset.read_label(self.pairs[i].label)

    def ignoring(self, label: int | None) -> "DataSetSource":
        """Return this source with one more training id, or None, made VOID."""
        other = copy.copy(self)
        other.void_id = VOID if label is None else label
        return other

    def checked(self, n_classes: int | None, ignore_label: int | None = None) -> "DataSetSource":
        """Return this source with a check of every label; see PairSource. 255 is allowed, it is void here."""
        other = copy.copy(self)
        void = {VOID, self.void_id, *void_ids(ignore_label)}
        other.label_check = LabelCheck(n_classes, void, self.dataset.coded)
        return other


def wrong_size(label_path: StrPath, label: np.ndarray, image_path: StrPath, image: np.ndarray) -> BadFile:
    """Return the error for a label whose size is not its image's."""
    (height, width), (image_height, image_width) = label.shape[:2], image.shape[:2]
    return BadFile(label_path, f"is {width}x{height} but {image_path} is {image_width}x{image_height}",
                   "make the label at its image's size (resize with nearest neighbour)")
