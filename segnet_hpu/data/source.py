"""Where samples come from: images with their labels, read one at a time."""

import copy
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeVar

import numpy as np

from segnet_hpu.constants import CLASS_IDS, VOID, void_ids
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair, name_below, pair_paths, stem_of
from segnet_hpu.data.image_check import ImageCheck
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.images import read_stored_image, reads_alike, stored_size
from segnet_hpu.data.label_check import LabelCheck
from segnet_hpu.data.label_palettes import LabelPalettes
from segnet_hpu.data.labels import of_8_bits, read_label_values
from segnet_hpu.errors import warn
from segnet_hpu.files import StrPath

MOST = (1 << 16) - 1  # of a label's numbers; the check tells which ones are no ids
AnyPairs = TypeVar("AnyPairs", bound="PairSource")


class Sample(NamedTuple):
    """image: uint8 (H, W, 3) RGB. label: uint8 (H, W), class ids."""

    image: np.ndarray
    label: np.ndarray


class Source(Protocol):
    """What a loader, a survey of labels and an evaluation read from."""

    pairs: list[Pair]
    coding: ImageCoding
    palette: dict[str, str]

    @property
    def image_files(self) -> list[str]:
        """The paths of all files that images are read from, in order."""

    @property
    def label_rule(self) -> str:
        """What classes the values or colours in label files stand for, as a text that is another for another rule."""

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

    @property
    def by_values(self) -> bool:
        """Whether label files are read by their values, of palettes by the indices."""

    @property
    def label_rule(self) -> str:
        """What classes the values or colours in label files stand for, as a text that is another for another rule."""

    def read_label(self, path: str) -> np.ndarray:
        """Return a label file's training ids, uint8 (H, W)."""


class PairSource:
    """A Source of files in pairs, labels of class ids.

    label_check: what every label that is read must pass, None for nothing; see `checked`. coding: how the image
    files are meant; see `reading`. palette: of the labels of a set that was verified, see LabelPalettes.noted.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs = [Pair(*pair) for pair in pairs]
        self.label_check: LabelCheck | None = None
        self.coding = PLAIN
        self.image_check = ImageCheck()
        self.palette: dict[str, str] = {}

    @property
    def image_files(self) -> list[str]:
        """The paths of the images."""
        return [pair.image for pair in self.pairs]

    @property
    def label_rule(self) -> str:
        """Values are class ids."""
        return CLASS_IDS

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
        path = self.pairs[i].image
        image = read_stored_image(path, coding=self.coding)
        self.image_check.note(path, image, self.coding)
        return image.pixels

    def original(self, i: int) -> str:
        """Return the path of image i's file where a copy of it is read alike without the coding; else ""."""
        path = self.pairs[i].image
        return path if reads_alike(path, self.coding) else ""

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

    def reading(self: AnyPairs, coding: ImageCoding) -> AnyPairs:
        """Return this source with its image files read as `coding` says, and where it says nothing as before."""
        other = copy.copy(self)
        other.coding = coding.over(self.coding)
        return other

    def checked(self, n_classes: int | None, ignore_label: int | None = None,
                palettes: LabelPalettes | None = None, refusing: bool = True) -> "PairSource":
        """Return this source with a check of every label that is read, as verify_dataset has it.

        n_classes: allowed ids are 0..n_classes-1, all for None. ignore_label: one more allowed id, and 255 with it;
        or None, neither. palettes, refusing: see LabelCheck. Call `finish_check` when all are read.
        """
        other = copy.copy(self)
        other.label_check = LabelCheck(n_classes, void_ids(ignore_label), palettes=palettes, refusing=refusing)
        return other

    def refuse_faulty_set(self) -> None:
        """Raise UsageError for what is wrong with all labels that were read together; see `checked`."""
        if self.label_check:
            self.label_check.refuse_faulty_set()

    def finish_check(self, class_names: Sequence[str] | None = None,
                     trained_on: Mapping[str, str] | None = None) -> None:
        """Raise as `refuse_faulty_set`, and warn of what is odd with all files together.

        trained_on: the palette of a model's training labels, see LabelPalettes.noted, to compare these with.
        """
        if self.label_check:
            self.label_check.finish(class_names)
            palettes = self.label_check.palettes if self.label_rule == CLASS_IDS else None
            if palettes and (words := palettes.other_than(trained_on or {})):
                warn(words)
        self.warn_of_images()

    def warn_of_images(self) -> None:
        """Warn of what is odd with the images that were read."""
        for line in self.image_check.oddities(len(self), self.coding):
            warn(line)


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

    @property
    def label_rule(self) -> str:
        """What the data set says of the values or colours in label files."""
        return self.dataset.label_rule

    def name(self, i: int) -> str:
        """Return the stem that names pair i; with its folders, a_b_stem, where stems are not unique."""
        image = self.pairs[i].image
        return stem_of(image) if self._above is None else name_below(image, self._above)

    def label(self, i: int) -> np.ndarray:
        """Return label i: training ids, uint8 (H, W)."""
        label = super().label(i)
        return label if self.void_id == VOID else np.where(label == self.void_id, np.uint8(VOID), label)

    def read(self, i: int) -> np.ndarray:
        """Return label i as the data set has it; raises BadFile where its own reader returns no ids."""
        path = self.pairs[i].label
        return _ids(path, self.dataset.read_label(path), f"{type(self.dataset).__name__}.read_label")

    def ignoring(self, label: int | None) -> "DataSetSource":
        """Return this source with one more training id, or None, made VOID."""
        other = copy.copy(self)
        other.void_id = VOID if label is None else label
        return other

    def checked(self, n_classes: int | None, ignore_label: int | None = None,
                palettes: LabelPalettes | None = None, refusing: bool = True) -> "DataSetSource":
        """Return this source with a check of every label; see PairSource. 255 is allowed, it is void here."""
        other = copy.copy(self)
        void = {VOID, self.void_id, *void_ids(ignore_label)}
        other.label_check = LabelCheck(n_classes, void, self.dataset.coded, self.dataset.by_values, palettes,
                                       refusing)
        return other


def _ids(path: str, ids: object, reader: str) -> np.ndarray:
    """Return what a reader made of a label file as whole numbers (H, W), uint8 if it is of bool; raises BadFile."""
    if not isinstance(ids, np.ndarray):
        found = f"a {type(ids).__name__}"
    elif ids.ndim != 2 or ids.dtype.kind not in "bui":
        found = f"an array {ids.dtype} {ids.shape}"
    elif ids.size and (ids.min() < 0 or ids.max() > MOST):
        found = f"ids from {ids.min()} to {ids.max()}"
    else:
        return ids.astype(np.uint8) if ids.dtype.kind == "b" else ids
    raise BadFile(path, f"is read by {reader} as {found}, expected training ids from 0 to {VOID}, uint8 (H, W)",
                  f"mend {reader}; what is no class is {VOID}")


def wrong_size(label_path: StrPath, label: np.ndarray, image_path: StrPath, image: np.ndarray) -> BadFile:
    """Return the error for a label whose size is not its image's, which may be that of the pixels as stored."""
    (height, width), (image_height, image_width) = label.shape[:2], image.shape[:2]
    what = f"is {width}x{height} but {image_path} is {image_width}x{image_height}"
    cure = "make the label at its image's size (resize with nearest neighbour)"
    if (height, width) == (image_width, image_height) and os.path.isfile(image_path):
        stored, tag = stored_size(image_path)
        if tag > 4 and stored == (height, width):
            what += f" upright: the label lies over the pixels as stored, which the orientation tag {tag} turns"
            cure = "read images and labels with --orientation as_stored, or turn the label"
        elif tag > 4:
            what += f" as stored: the label lies over the upright picture, as the orientation tag {tag} turns it"
            cure = "leave out --orientation as_stored"
    return BadFile(label_path, what, cure)
