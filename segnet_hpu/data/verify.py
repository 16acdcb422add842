"""Every fault of a data set, of two folders or of a name, each with its file and its cure."""

import os
from collections.abc import Sequence

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import find, root_of
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, Pair, files_of_both
from segnet_hpu.data.images import BadFile, read_image, read_label_channels
from segnet_hpu.data.label_faults import Fault, binary_fault, check_label, outside_fault
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.data.source import DataSetSource, wrong_size
from segnet_hpu.files import StrPath
from segnet_hpu.progress import progress


def verify_pairs(images_dir: StrPath, labels_dir: StrPath, n_classes: int, ignore_label: int | None = None,
                 threads: int | None = None) -> list[Fault]:
    """Return the faults of two folders in the order of the files; empty if there are none.

    n_classes: allowed ids are 0..n_classes-1. ignore_label: one more allowed id, and 255 with it; or None, neither.
    threads: files are read by so many (default: one a core). Raises UsageError for a missing or empty folder and
    for one folder given twice.
    """
    pairs, faults = match_files(images_dir, labels_dir)
    return faults + check_pairs(pairs, n_classes, ignore_label, threads)


def verify_split(name: str | DataSet, root: StrPath | None, split: str, n_classes: int,
                 ignore_label: int | None = None) -> tuple[DataSetSource, list[Fault]]:
    """Return (source, faults): a split's pairs, as open_dataset gives them, and a list of Fault.

    n_classes: labels are 0..n_classes-1 or void. ignore_label: one more id, which is void. A candidate whose image or
    label is missing is a fault and no pair. Raises as open_dataset, but not for those.
    """
    dataset = find(name)
    source, missing = dataset.open(root_of(dataset, root), split)
    source = source.ignoring(ignore_label)
    faults = [_missing(pair) for pair in missing]
    if dataset.plain:
        # What is wrong with files that hold nothing but training ids is told more closely.
        return source, faults + check_pairs(source.pairs, n_classes, VOID if ignore_label is None else ignore_label)
    return source, faults + _check_source(source, n_classes)


def match_files(images_dir: StrPath, labels_dir: StrPath) -> tuple[list[Pair], list[Fault]]:
    """Return the pairs, and the faults of names: missing partners and shared stems."""
    # JPEG labels are listed too, so that they are reported as such rather than as missing.
    images, labels = files_of_both(images_dir, labels_dir, IMAGE_FORMATS)
    faults = []
    for stems in (images, labels):
        for paths in stems.values():
            faults += [Fault(path, f"shares its stem with {os.path.basename(paths[0])}", "keep one of them")
                       for path in paths[1:]]
    for stem in sorted(images.keys() ^ labels.keys()):
        if stem in images:
            faults.append(Fault(images[stem][0], f"has no label in {labels_dir}",
                                f"add {stem}.png there or remove the image"))
        else:
            faults.append(Fault(labels[stem][0], f"has no image in {images_dir}",
                                f"add {stem}.jpg or .png there or remove the label"))
    return [Pair(images[s][0], labels[s][0]) for s in sorted(images.keys() & labels.keys())], faults


def check_pairs(pairs: Sequence[Pair], n_classes: int, ignore_label: int | None = None,
                threads: int | None = None) -> list[Fault]:
    """Return the faults inside the files of the pairs; see `verify_pairs`."""
    def check(pair: Pair) -> tuple[list[Fault], set[int]]:
        return _check_pair(pair, n_classes, ignore_label)

    faults: list[Fault] = []
    seen: set[int] = set()
    threads = threads or CORES
    for found, ids in progress(prefetched(check, pairs, threads, ahead=4 * threads), len(pairs), "verified"):
        faults += found
        seen |= ids
    # With 255 ignored no single mask of 0 and 255 is suspicious, but a whole set of them is.
    if not faults and ignore_label is not None and n_classes > 1 and seen == {0, 255}:
        faults.append(binary_fault(os.path.dirname(pairs[0].label), "holds only masks of 0 and 255 (ignored)"))
    return faults


def _check_pair(pair: Pair, n_classes: int, ignore_label: int | None) -> tuple[list[Fault], set[int]]:
    """Return (faults, ids in the label) of one pair."""
    faults, image = [], None
    try:
        image = read_image(pair.image)
    except BadFile as error:
        faults.append(Fault.of(error))
    try:
        label = read_label_channels(pair.label)
    except BadFile as error:
        return [*faults, Fault.of(error)], set()
    if image is not None and image.shape[:2] != label.shape[:2]:
        faults.append(Fault.of(wrong_size(pair.label, label, pair.image, image)))
    found, ids = check_label(pair.label, label, n_classes, ignore_label)
    return faults + found, ids


def _check_source(source: DataSetSource, n_classes: int) -> list[Fault]:
    """Return the faults of the samples, in their order; one is in memory at a time and thread."""
    def check(i: int) -> list[Fault]:
        try:
            label = source[i].label
        except BadFile as error:
            return [Fault.of(error)]
        counts = np.bincount(label.ravel(), minlength=256)
        outside = n_classes + np.flatnonzero(counts[n_classes:VOID])
        return [outside_fault(source.pairs[i].label, outside, counts, n_classes)] if outside.size else []

    results = prefetched(check, range(len(source)), CORES, ahead=4 * CORES)
    return [fault for found in progress(results, len(source), "verified") for fault in found]


def _missing(pair: Pair) -> Fault:
    if not os.path.exists(pair.image):
        return Fault(pair.image, "is missing", "copy it from the data set")
    return Fault(pair.image, f"has no label {pair.label}", "copy that from the data set, or remove the image")
