"""What a data set is: classes, the layout of its files, and what the values of its labels mean."""

import os
from dataclasses import dataclass, field
from typing import NamedTuple

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.layout import layout_error
from segnet_hpu.data.datasets.patterns import fill, fixed_folder, matches
from segnet_hpu.errors import UsageError, nearest


class Split(NamedTuple):
    """The files of one part of a data set, below its root.

    images, labels: two patterns; the texts that the stars of the first stand for fill the stars of the
    second. Without a star: two folders, paired by stem. listed: a file of the texts for a single star, one a line.
    """

    images: str
    labels: str
    listed: str | None = None


@dataclass(frozen=True)
class DataSet:
    """A data set. For one with rules of its own, override `candidates` (which files) or `read_label`.

    class_names: one a class, None where the user says n_classes. palette: a name or colours that
    data.classes.palette takes, None for generated ones. files: {split: Split}.
    ids: {value in the label files: training id}, None where the values are training ids.
    colours: {(red, green, blue): training id} for labels that are coloured pictures.
    VOID is a training id too: pixels left out of loss and scores. others: training id of the values or colours
    that are not listed; None makes them a fault of the file. root: where it lies, if that is known.
    plain: the label files are verified as those of two folders are, for what people do to such.
    """

    name: str
    class_names: tuple | None
    palette: str | None
    files: dict = field(hash=False)
    ids: dict | None = field(default=None, hash=False)
    colours: dict | None = field(default=None, hash=False)
    others: int | None = None
    root: str | None = None
    ignore_label = VOID
    plain = False

    @property
    def n_classes(self):
        return self.class_names and len(self.class_names)

    @property
    def splits(self):
        return tuple(self.files)

    def split_files(self, split):
        """Return the Split of a name; raises UsageError for an unknown one."""
        if split not in self.files:
            raise UsageError(f"{self.name} has no split {split!r}; expected {', '.join(self.files)}."
                             f"{nearest(split, self.files)}")
        return self.files[split]

    def candidates(self, root, split):
        """Yield (image path, path of the label that it should have), in the order of the paths.

        Raises LayoutError where a folder or list is missing or empty.
        """
        images, labels, listed = self.split_files(split)
        self.require_folder(root, fixed_folder(images) if "*" in images else images)
        self.require_folder(root, fixed_folder(labels) if "*" in labels else labels)
        if listed:
            yield from self._listed(root, images, labels, listed)
        elif "*" in images:
            yield from ((path, os.path.join(root, fill(labels, texts))) for path, texts in matches(root, images))
        else:
            from segnet_hpu.data.datasets.stems import by_stem

            yield from by_stem(os.path.join(root, images), os.path.join(root, labels))

    def check_layout(self, root, split):
        """Raise LayoutError where the root, its folders or lists are missing or empty; quick."""
        if not os.path.isdir(root):
            raise layout_error(self, root, f"{root}: no such folder")
        if next(iter(self.candidates(root, split)), None) is None:
            raise layout_error(self, root, f"{root} holds no file {self.files[split].images}")

    def match(self, root, split):
        """Return ([(image path, label path), ...], the candidates of which one file is missing)."""
        self.check_layout(root, split)
        pairs, missing = [], []
        for pair in self.candidates(root, split):
            (pairs if all(map(os.path.exists, pair)) else missing).append(pair)
        return pairs, missing

    def open(self, root, split):
        """Return (source, missing): see `open_dataset` and `match`."""
        from segnet_hpu.data.datasets.source import DataSetSource

        pairs, missing = self.match(root, split)
        return DataSetSource(self, pairs), missing

    def read_label(self, path):
        """Return a label file's training ids, uint8 (H, W), VOID included. Raises BadFile (a UsageError)."""
        from segnet_hpu.data.datasets import label_codings

        if self.colours:
            return label_codings.from_colours(path, self.colours, self.others)
        return label_codings.from_values(path, self.ids, self.others)

    def require_folder(self, root, folder):
        """Raise LayoutError unless root/folder is a folder."""
        if not os.path.isdir(os.path.join(root, folder)):
            raise layout_error(self, root, f"{root} has no folder {folder}")

    def require_file(self, root, file):
        """Raise LayoutError unless root/file is a file."""
        if not os.path.isfile(os.path.join(root, file)):
            raise layout_error(self, root, f"{root} has no file {file}")

    def expected_paths(self):
        """Return the patterns of all files of all splits, for a picture of the layout."""
        return [path if "*" in path or "." in path else f"{path}/*" for split in self.files.values()
                for path in split if path]

    def _listed(self, root, images, labels, listed):
        self.require_file(root, listed)
        with open(os.path.join(root, listed), encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                if line.strip():
                    texts = line.split()[:1]
                    yield os.path.join(root, fill(images, texts)), os.path.join(root, fill(labels, texts))
