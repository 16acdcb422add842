"""How often each class occurs, and the class weights that follow."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from segnet_hpu.constants import void_ids
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.data.source import Source
from segnet_hpu.errors import UsageError
from segnet_hpu.progress import progress


@dataclass(frozen=True)
class LabelCounts:
    """What one pass over a data set's labels counts.

    pixels, images: int64 (n_classes + 1,), pixels of each class and labels that hold it; void comes last.
    labelled, whole: int64 (n_classes + 1,), pixels of the labels that hold the class, without and with void.
    sizes: how many labels there are of each (H, W).
    """

    pixels: np.ndarray
    images: np.ndarray
    labelled: np.ndarray
    whole: np.ndarray
    sizes: Counter[tuple[int, ...]]

    def trimmed(self) -> "LabelCounts":
        """Return the counts without the classes above the highest that occurs."""
        kept = [*range(max(np.flatnonzero(self.pixels[:-1]), default=0) + 1), -1]
        return LabelCounts(self.pixels[kept], self.images[kept], self.labelled[kept], self.whole[kept], self.sizes)

    def weights(self, count_void: bool = False) -> np.ndarray:
        """Return median-frequency class weights, float32 (n_classes,); 0 for absent classes.

        A class's frequency is its share of the pixels of the labels that hold it (Eigen & Fergus, 2015;
        SegNet, arXiv 1511.00561, section 4), its weight the median frequency / its own.
        count_void: void counts as one more class, as in the CamVid weights published with SegNet.
        """
        if count_void:
            return _balanced(self.pixels, self.whole)[:-1]
        return _balanced(self.pixels[:-1], self.labelled[:-1])


def count_labels(source: Source, n_classes: int, ignore_label: int | None = None) -> LabelCounts:
    """Return the LabelCounts of a data set's labels.

    ignore_label: the id of void, and 255 with it; or None,
    neither. Raises UsageError for other ids outside 0..n_classes-1.
    """
    pixels, images, labelled, whole = np.zeros((4, n_classes + 1), np.int64)
    sizes: Counter[tuple[int, ...]] = Counter()
    for size, counts in _counts(source, n_classes, ignore_label):
        pixels += counts
        images += counts > 0
        labelled += np.where(counts > 0, counts[:-1].sum(), 0)
        whole += np.where(counts > 0, counts.sum(), 0)
        sizes[size] += 1
    return LabelCounts(pixels, images, labelled, whole, sizes)


def median_frequency_weights(source: Source, n_classes: int, ignore_label: int | None = None) -> np.ndarray:
    """Return the class weights of `LabelCounts.weights`; arguments and errors as for `count_labels`."""
    return count_labels(source, n_classes, ignore_label).weights()


def _counts(source: Source, n_classes: int,
            ignore_label: int | None) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Yield ((H, W), pixels of each class and of void) of every label."""
    ids = np.array(void_ids(ignore_label), int)

    def count(i: int) -> tuple[tuple[int, ...], np.ndarray]:
        label = source.label(i)
        counts = np.bincount(label.ravel(), minlength=256)
        void = counts[ids].sum()
        counts[ids] = 0
        if counts[n_classes:].any():
            raise UsageError(f"label {source.name(i)} holds id {np.flatnonzero(counts).max()}; expected "
                             f"0..{n_classes - 1}. Run verify_dataset to list all such labels")
        return label.shape, np.append(counts[:n_classes], void)

    return progress(prefetched(count, range(len(source)), CORES, 2 * CORES), len(source), "counted")


def _balanced(pixels: np.ndarray, present: np.ndarray) -> np.ndarray:
    frequency = pixels[pixels > 0] / present[pixels > 0]
    weights = np.zeros(len(pixels), np.float32)
    if frequency.size:
        weights[pixels > 0] = np.median(frequency) / frequency
    return weights
