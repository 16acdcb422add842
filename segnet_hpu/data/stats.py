"""How often each class occurs, and the class weights that follow."""

import os
from collections import Counter
from dataclasses import dataclass

import numpy as np

from segnet_hpu.constants import void_ids
from segnet_hpu.data.prefetch import prefetched
from segnet_hpu.errors import UsageError
from segnet_hpu.progress import progress


@dataclass(frozen=True)
class Survey:
    """What one pass over a data set's labels counts.

    pixels, images: int64 (n_classes + 1,), pixels of each class and labels that hold it; void comes last.
    labelled, whole: int64 (n_classes + 1,), pixels of the labels that hold the class, without and with void.
    sizes: how many labels there are of each (H, W).
    """

    pixels: np.ndarray
    images: np.ndarray
    labelled: np.ndarray
    whole: np.ndarray
    sizes: Counter

    def trimmed(self):
        """Return the Survey without the classes above the highest that occurs."""
        kept = [*range(max(np.flatnonzero(self.pixels[:-1]), default=0) + 1), -1]
        counts = (self.pixels, self.images, self.labelled, self.whole)
        return Survey(*(array[kept] for array in counts), self.sizes)

    def weights(self, count_void=False):
        """Return median-frequency class weights, float32 (n_classes,); 0 for absent classes.

        A class's frequency is its share of the pixels of the labels that hold it (Eigen & Fergus, 2015;
        SegNet, arXiv 1511.00561, section 4), its weight the median frequency / its own.
        count_void: void counts as one more class, as in the CamVid weights published with SegNet.
        """
        if count_void:
            return _balanced(self.pixels, self.whole)[:-1]
        return _balanced(self.pixels[:-1], self.labelled[:-1])


def survey(source, n_classes, ignore_label=None):
    """Return the Survey of a data set's labels.

    source: has len(), label(i), uint8 (H, W), and name(i). ignore_label: the id of void, and 255 with it; or None,
    neither. Raises UsageError for other ids outside 0..n_classes-1.
    """
    pixels, images, labelled, whole = np.zeros((4, n_classes + 1), np.int64)
    sizes = Counter()
    for size, counts in _label_counts(source, n_classes, ignore_label):
        pixels += counts
        images += counts > 0
        labelled += np.where(counts > 0, counts[:-1].sum(), 0)
        whole += np.where(counts > 0, counts.sum(), 0)
        sizes[size] += 1
    return Survey(pixels, images, labelled, whole, sizes)


def median_frequency_weights(source, n_classes, ignore_label=None):
    """Return the class weights of `Survey.weights`; arguments and errors as for `survey`."""
    return survey(source, n_classes, ignore_label).weights()


def _label_counts(source, n_classes, ignore_label):
    """Yield ((H, W), pixels of each class and of void) of every label."""
    ids = np.array(void_ids(ignore_label), int)

    def count(i):
        label = source.label(i)
        counts = np.bincount(label.ravel(), minlength=256)
        void = counts[ids].sum()
        counts[ids] = 0
        if counts[n_classes:].any():
            raise UsageError(f"label {source.name(i)} holds id {np.flatnonzero(counts).max()}; expected "
                             f"0..{n_classes - 1}. Run verify_dataset to list all such labels")
        return label.shape, np.append(counts[:n_classes], void)

    threads = os.cpu_count()
    return progress(prefetched(count, range(len(source)), threads, 2 * threads), len(source), "counted")


def _balanced(pixels, present):
    frequency = pixels[pixels > 0] / present[pixels > 0]
    weights = np.zeros(len(pixels), np.float32)
    if frequency.size:
        weights[pixels > 0] = np.median(frequency) / frequency
    return weights
