"""Every fault of a data set's files, their labels judged as training ids."""

import os

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.registry import find, root_of
from segnet_hpu.data.images import BadFile
from segnet_hpu.data.prefetch import prefetched
from segnet_hpu.data.verify import Fault, check_pairs, outside_fault
from segnet_hpu.progress import progress


def verify_split(name, root, split, n_classes, ignore_label=None):
    """Return (source, faults): a split's pairs, as open_dataset gives them, and a list of Fault.

    n_classes: labels are 0..n_classes-1 or void. ignore_label: one more id, which is void. A candidate whose image or
    label is missing is a fault and no pair. Raises as open_dataset, but not for those.
    """
    dataset = find(name)
    source, missing = dataset.open(root_of(dataset, root), split)
    source = source.ignoring(ignore_label)
    faults = [_missing(*pair) for pair in missing]
    if dataset.plain:
        # What is wrong with files that hold nothing but training ids is told more closely.
        return source, faults + check_pairs(source.pairs, n_classes, VOID if ignore_label is None else ignore_label)
    return source, faults + check_source(source, n_classes)


def check_source(source, n_classes):
    """Return the faults of the samples of a DataSetSource, in their order; one is in memory at a time and thread."""
    def check(i):
        try:
            _, label = source[i]
        except BadFile as error:
            return [Fault(error.file, error.what, error.fix)]
        counts = np.bincount(label.ravel(), minlength=256)
        outside = n_classes + np.flatnonzero(counts[n_classes:VOID])
        return [outside_fault(source.pairs[i][1], outside, counts, n_classes)] if outside.size else []

    threads = os.cpu_count()
    results = prefetched(check, range(len(source)), threads, ahead=4 * threads)
    return [fault for found in progress(results, len(source), "verified") for fault in found]


def _missing(image, label):
    if not os.path.exists(image):
        return Fault(image, "is missing", "copy it from the data set")
    return Fault(image, f"has no label {label}", "copy that from the data set, or remove the image")
