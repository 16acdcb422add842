"""The samples of a data set's split, read one at a time."""

import copy
import os

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.folder_source import FolderSource


class DataSetSource(FolderSource):
    """Images and labels of training ids: len(source), source[i], source.pairs, source.name(i), source.dataset."""

    def __init__(self, dataset, pairs):
        self.dataset, self.pairs = dataset, pairs
        self.left_out = VOID
        images = [image for image, _ in pairs]
        alike = len({_stem(image) for image in images}) < len(images)
        self._above = os.path.commonpath(map(os.path.dirname, images)) if alike else None

    def name(self, i):
        """Return the stem that names pair i; with its folders, a_b_stem, where stems are not unique."""
        image = self.pairs[i][0]
        if self._above is None:
            return _stem(image)
        return os.path.splitext(os.path.relpath(image, self._above))[0].replace(os.sep, "_")

    def label(self, i):
        """Return label i: training ids, uint8 (H, W)."""
        label = self.draw(i)
        return label if self.left_out == VOID else np.where(label == self.left_out, np.uint8(VOID), label)

    def draw(self, i):
        """Return label i as the data set has it."""
        return self.dataset.read_label(self.pairs[i][1])

    def ignoring(self, label):
        """Return this source with one more training id, or None, made VOID."""
        other = copy.copy(self)
        other.left_out = VOID if label is None else label
        return other


def _stem(path):
    return os.path.splitext(os.path.basename(path))[0]
