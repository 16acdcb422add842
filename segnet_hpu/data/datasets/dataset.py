"""What a data set is: classes, the layout of its files, and what the values of its labels mean."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from segnet_hpu.code_hash import code_hash
from segnet_hpu.constants import CLASS_IDS, VOID
from segnet_hpu.data.colours import Colour
from segnet_hpu.data.datasets.layout import LayoutError, Split, layout_error
from segnet_hpu.data.datasets.patterns import fill, fixed_folder, lower_suffix, matches, other_case
from segnet_hpu.data.file_pairs import Pair, candidate_pairs
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.errors import UsageError, nearest

if TYPE_CHECKING:  # NumPy is not needed before something is read
    import numpy as np

    from segnet_hpu.data.source import DataSetSource


@dataclass(frozen=True)
class DataSet:
    """A data set. For one with rules of its own, override `candidates` (which files) or `read_label`.

    class_names: one a class, None where the user says n_classes. palette: a name or colours that
    data.classes.palette takes, None for generated ones. files: {split: Split}.
    ids: {value in the label files: training id}, None where the values are training ids.
    colours: {(red, green, blue): training id} for labels that are coloured pictures.
    VOID is a training id too: pixels left out of loss and scores. others: training id of the values or colours
    that are not listed; None makes them a fault of the file. root: where it lies, if that is known. image_files: how
    the image files are meant. more: {split: further Splits}, for files that lie under several patterns.
    """

    name: str
    class_names: tuple[str, ...] | None
    palette: str | None
    files: Mapping[str, Split] = field(hash=False)
    ids: Mapping[int, int] | None = field(default=None, hash=False)
    colours: Mapping[Colour, int] | None = field(default=None, hash=False)
    others: int | None = None
    root: str | None = None
    image_files: ImageCoding = PLAIN
    more: Mapping[str, tuple[Split, ...]] = field(default_factory=dict, hash=False)
    ignore_label: ClassVar[int] = VOID

    @property
    def n_classes(self) -> int | None:
        """Number of the classes, None where the user says it."""
        return len(self.class_names) if self.class_names else None

    @property
    def coded(self) -> bool:
        """Whether training ids are made of other values or colours, so that masks of 0 and 255 are no surprise."""
        own_rule = type(self).read_label is not DataSet.read_label
        return own_rule or bool(self.colours) or any(v not in (i, VOID) for v, i in (self.ids or {}).items())

    @property
    def by_values(self) -> bool:
        """Whether label files are read by their values, of palettes by the indices."""
        return type(self).read_label is DataSet.read_label and not self.colours

    @property
    def label_rule(self) -> str:
        """What classes the values or colours in label files stand for, as a text that is another for another rule."""
        reader = type(self).read_label
        if reader is not DataSet.read_label:
            code = "" if reader.__module__.startswith("segnet_hpu.") else code_hash(reader)
            return f"{type(self).__qualname__} {code}, {self.ids}, {self.colours}, others {self.others}"
        if self.colours:
            return f"colours {sorted(self.colours.items())}, others {self.others}"
        mapped = {i: i for i in range(VOID + 1)} if self.ids is None else self.ids
        # Values are class ids: so read two folders, too.
        if self.others is None and all(label == value for value, label in mapped.items()):
            return CLASS_IDS
        return f"values {sorted(mapped.items())}, others {self.others}"

    def with_void(self, label: int | None) -> "DataSet":
        """Return this data set with one more training id, or None, made VOID."""
        if label is None:
            return self
        ids = self.ids or {i: i for i in (*range(self.n_classes or VOID), VOID)}
        colours = self.colours and {colour: VOID if i == label else i for colour, i in self.colours.items()}
        return replace(self, ids={value: VOID if i == label else i for value, i in ids.items()}, colours=colours,
                       others=VOID if self.others == label else self.others)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(self.files)

    def split_files(self, split: str) -> Split:
        """Return the Split of a name; raises UsageError for an unknown one."""
        if split not in self.files:
            raise UsageError(f"{self.name} has no split {split!r}; expected {', '.join(self.files)}."
                             f"{nearest(split, self.files)}")
        return self.files[split]

    def split_to_write(self, split: str) -> Split:
        """Return the Split of a name for a data set that is to be written in this layout; raises UsageError."""
        return self.split_files(split)

    def patterns(self, split: str) -> tuple[Split, ...]:
        """Return all Splits of a name; raises UsageError for an unknown one."""
        return self.split_files(split), *self.more.get(split, ())

    def candidates(self, root: str, split: str) -> Iterator[Pair]:
        """Yield (image path, path of the label that it should have), in the order of the paths.

        Raises LayoutError where a folder or list is missing or empty.
        """
        first, *more = self.patterns(split)
        if more:
            yield from sorted({pair for files in (first, *more) for pair in self._candidates(root, files)})
        else:
            yield from self._candidates(root, first)

    def check_layout(self, root: str, split: str) -> None:
        """Raise LayoutError where the root, its folders or lists are missing or empty; quick."""
        if not os.path.isdir(root):
            raise self.layout_error(root, f"{root}: no such folder")
        if next(iter(self.candidates(root, split)), None) is None:
            raise self.layout_error(root, f"{root} holds no file {self.files[split].images}")

    def match(self, root: str, split: str) -> tuple[list[Pair], list[Pair]]:
        """Return the pairs, and the candidates of which one file is missing."""
        self.check_layout(root, split)
        pairs: list[Pair] = []
        missing: list[Pair] = []
        for image, label in self.candidates(root, split):
            pair = Pair(image, label if os.path.exists(label) else other_case(label))
            (pairs if all(map(os.path.exists, pair)) else missing).append(pair)
        if type(self).candidates is DataSet.candidates:
            _refuse_shared_labels(pairs)
        return pairs, missing

    def open(self, root: str, split: str) -> "tuple[DataSetSource, list[Pair]]":
        """Return (source, missing): see `open_dataset` and `match`."""
        from segnet_hpu.data.source import DataSetSource

        pairs, missing = self.match(root, split)
        return DataSetSource(self, pairs).reading(self.image_files), missing

    def read_label(self, path: str) -> "np.ndarray":
        """Return a label file's training ids, uint8 (H, W), VOID included. Raises BadFile (a UsageError)."""
        from segnet_hpu.data.datasets import label_codings

        if self.colours:
            return label_codings.from_colours(path, self.colours, self.others)
        return label_codings.from_values(path, self.ids, self.others)

    def require_folder(self, root: str, folder: str) -> None:
        """Raise LayoutError unless root/folder is a folder."""
        if not os.path.isdir(os.path.join(root, folder)):
            raise self.layout_error(root, f"{root} has no folder {folder}")

    def require_file(self, root: str, file: str) -> None:
        """Raise LayoutError unless root/file is a file."""
        if not os.path.isfile(os.path.join(root, file)):
            raise self.layout_error(root, f"{root} has no file {file}")

    def layout_error(self, root: str, what: str) -> LayoutError:
        """Return the error that says what is wrong at `root`, what is expected there and what was found."""
        files = [files for split in self.files for files in self.patterns(split)]
        return layout_error(self.name, files, root, what)

    def _candidates(self, root: str, files: Split) -> Iterator[Pair]:
        images, labels, listed = files
        self.require_folder(root, fixed_folder(images) if "*" in images else images)
        self.require_folder(root, fixed_folder(labels) if "*" in labels else labels)
        if listed:
            yield from self._listed(root, images, labels, listed)
        elif "*" in images:
            yield from self._matching(root, images, labels)
        else:
            yield from candidate_pairs(os.path.join(root, images), os.path.join(root, labels))

    def _matching(self, root: str, images: str, labels: str) -> Iterator[Pair]:
        """The pairs of two patterns; where both lie in one folder, what is the label of another image is no image."""
        pairs = (Pair(path, os.path.join(root, fill(labels, texts))) for path, texts in matches(root, images))
        if os.path.dirname(images) != os.path.dirname(labels):
            return pairs
        listed = list(pairs)
        label_paths = {lower_suffix(pair.label) for pair in listed}
        return (pair for pair in listed if lower_suffix(pair.image) not in label_paths)

    def _listed(self, root: str, images: str, labels: str, listed: str) -> Iterator[Pair]:
        self.require_file(root, listed)
        first: dict[str, int] = {}
        with open(os.path.join(root, listed), encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    texts = line.split()[:1]
                    before = first.setdefault(os.path.normpath(texts[0]), number)
                    if before != number:
                        raise UsageError(f"{os.path.join(root, listed)} lists {texts[0]} on lines {before} and "
                                         f"{number}; keep one of them")
                    yield Pair(os.path.join(root, fill(images, texts)), os.path.join(root, fill(labels, texts)))


def _refuse_shared_labels(pairs: Iterable[Pair]) -> None:
    first: dict[str, str] = {}
    for image, label in pairs:
        if first.setdefault(label, image) != image:
            raise UsageError(f"{first[label]} and {image} both belong to {label}; keep one of them, or name a single "
                             "suffix in the pattern")
