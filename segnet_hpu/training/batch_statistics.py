"""The moving statistics of batch normalisation, counted anew: for averaged weights, or on request."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np

from segnet_hpu.errors import warn
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.runtime.keras_internals import batch_normalisations
from segnet_hpu.runtime.ranks import ALONE, Ranks
from segnet_hpu.training.step import make_forward
from segnet_hpu.training.step.rising_momentum import exchanged
from segnet_hpu.training.variables import set_values, to_numpy

BATCHES = 32  # that statistics are counted over
FEW_BATCHES = 8  # that show whether they are stale
GAP = 0.1  # of accuracies, from which on it is looked into


class Accuracies(NamedTuple):
    """Shares of right pixels on the same batches: each batch normalised by itself, and by the moving statistics."""

    by_batch: float
    by_moving: float


class BatchStatistics:
    """The moving means and variances of a compiled model's batch normalisation, frozen layers left out."""

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.layers = [layer for layer in batch_normalisations(model) if layer.trainable]
        self._was_stale = self._warned = False
        self.variables = [v for layer in self.layers for v in (layer.moving_mean, layer.moving_variance)]

    @cached_property
    def _forward(self) -> Any:
        return make_forward(self.model)

    def count(self, batches: Iterable[np.ndarray], ranks: Ranks = ALONE) -> None:
        """Set them to the means over batches of images (B, H, W, C), each as the network sees it in training.

        Dropout's seeds stay as they are. Every rank has batches of its own, and as many as the others.
        """
        if not self.variables:
            return
        sums, count = [np.zeros(v.shape) for v in self.variables], 0
        with self._unmoved():
            for images in batches:
                self._forward(images)
                sums = [total + to_numpy(v) for total, v in zip(sums, self.variables, strict=True)]
                count += 1
        if count:
            set_values(self.variables, (total / count for total in sums))
            ranks.level(self.variables)

    def accuracies(self, batches: Iterable[tuple[np.ndarray, np.ndarray]], ranks: Ranks = ALONE) -> Accuracies:
        """Return how a network does on batches (images, labels) of training, by either statistics."""
        counts = np.zeros((2, 2))
        for images, labels in batches:
            by_moving = self.model.predict_on_batch(images)
            with self._unmoved():
                by_batch = self._forward(images)
            for i, logits in enumerate((by_batch, by_moving)):
                counts[i] += [float(keras.ops.convert_to_numpy(n)) for n in count_pixels(labels, logits)]
        right, pixels = ranks.sum(counts).T
        return Accuracies(*(right / np.maximum(pixels, 1)).tolist())

    def warn_of_stale(self, record: Mapping[str, Any], batches: Iterable[tuple[np.ndarray, np.ndarray]],
                      ranks: Ranks = ALONE, is_last: bool = True) -> bool:
        """Warn, once, where validation is far below training, and so is training itself by the moving statistics.

        Weights that move fast may leave the statistics behind for an epoch, which the next one mends: warned of are
        two epochs in a row, and the last. record: of the epoch. batches: of training, looked at only where the two
        lie far apart; see `accuracies`. is_last: no epoch follows. Returns whether it warned; on every rank the same.
        """
        if self._warned:
            return False
        was_stale, found = self._was_stale, self._stale(record, batches, ranks)
        self._was_stale = found is not None
        if found is None or not (was_stale or is_last):
            return False
        self._warned = True
        if ranks.leads:
            warn(f"epoch {record['epoch']}: batch normalisation's moving statistics are stale. Of the same training "
                 f"pictures' pixels {found.by_batch:.1%} are right without them, {found.by_moving:.1%} with them; "
                 f"validation and prediction use them ({record['val_pixel_accuracy']:.1%}). Lower --learning_rate or "
                 "raise --batch_size; segnet-hpu recalibrate counts them anew in a checkpoint")
        return True

    def _stale(self, record: Mapping[str, Any], batches: Iterable[tuple[np.ndarray, np.ndarray]],
               ranks: Ranks) -> Accuracies | None:
        """Return the accuracies of stale statistics, which counting anew would mend; None for others."""
        validated = record.get("val_pixel_accuracy")
        if not self.layers or validated is None or record["accuracy"] - validated < GAP:
            return None
        batches = list(batches)
        found = self.accuracies(batches, ranks)
        if found.by_batch - found.by_moving < GAP:
            return None  # the network has learnt its pictures by heart
        before = [to_numpy(v) for v in self.variables]
        self.count((images for images, _ in batches), ranks)
        recounted = self.accuracies(batches, ranks)
        set_values(self.variables, before)
        return found if recounted.by_moving - found.by_moving >= GAP / 2 else None

    @contextlib.contextmanager
    def _unmoved(self) -> Iterator[None]:
        """Within this context the statistics are those of the last batch alone; after it all is as it was."""
        variables = self.model.non_trainable_variables
        before = [to_numpy(v) for v in variables]
        try:
            with exchanged(self.layers, "momentum", [0.0] * len(self.layers)):
                yield
        finally:
            set_values(variables, before)
