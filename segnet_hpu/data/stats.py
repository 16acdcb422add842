"""How often each class occurs, and the class weights that follow."""

import os

import numpy as np

from segnet_hpu.data.prefetch import prefetched
from segnet_hpu.errors import UsageError
from segnet_hpu.progress import progress


def class_pixel_counts(source, n_classes, ignore_label=None):
    """Return (pixels, present), both int64 (n_classes,).

    pixels[c]: pixels of class c in all labels. present[c]: counted pixels of the labels that hold c.
    source: has len() and source[i] -> (image, label uint8 (H, W)). ignore_label: an id that is counted
    nowhere. Raises UsageError for ids outside 0..n_classes-1.
    """
    def count(i):
        counts = np.bincount(source[i][1].ravel(), minlength=256)
        if ignore_label is not None:
            counts[ignore_label] = 0
        if counts[n_classes:].any():
            raise UsageError(f"label {source.name(i)} holds id {np.flatnonzero(counts).max()}; expected "
                             f"0..{n_classes - 1}. Run verify_dataset to list all such labels")
        return counts[:n_classes]

    pixels, present = np.zeros(n_classes, np.int64), np.zeros(n_classes, np.int64)
    threads = os.cpu_count()
    results = prefetched(count, range(len(source)), threads, ahead=4 * threads)
    for counts in progress(results, len(source), "counted"):
        pixels += counts
        present += np.where(counts > 0, counts.sum(), 0)
    return pixels, present


def median_frequency_weights(source, n_classes, ignore_label=None):
    """Return class weights float32 (n_classes,): median frequency / frequency; 0 for absent classes.

    A class's frequency is its share of the pixels of the labels that hold it (Eigen & Fergus, 2015;
    SegNet, arXiv 1511.00561, section 4). Arguments and errors as for `class_pixel_counts`.
    """
    pixels, present = class_pixel_counts(source, n_classes, ignore_label)
    frequency = pixels[pixels > 0] / present[pixels > 0]
    weights = np.zeros(n_classes, np.float32)
    if frequency.size:
        weights[pixels > 0] = np.median(frequency) / frequency
    return weights
