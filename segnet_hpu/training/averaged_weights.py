"""The moving average of a network's weights, which is judged and saved in their place (--ema)."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import keras
import numpy as np

from segnet_hpu.runtime.keras_internals import moving_averages
from segnet_hpu.runtime.ranks import ALONE, Ranks
from segnet_hpu.training.batch_statistics import BatchStatistics
from segnet_hpu.training.variables import set_values, to_numpy


class AveragedWeights(AbstractContextManager[None]):
    """A compiled model's averages as they were when an epoch ended, with batch normalisation's statistics for them.

    Within its context the model carries them, and after it what it had before. Without averages it changes nothing.
    recounted: the statistics are counted anew for the averages; else they stay those of the weights.
    """

    def __init__(self, model: keras.Model, recounted: bool = True) -> None:
        self.statistics, self.recounted = BatchStatistics(model), recounted
        self.averages = moving_averages(model.optimizer)
        self.variables = [*model.trainable_variables, *self.statistics.variables]
        self.values: list[np.ndarray] = []

    def take(self, batches: Iterable[np.ndarray], ranks: Ranks = ALONE) -> None:
        """Take the averages as they are now; their statistics are counted over batches of images (B, H, W, C)."""
        if not self.averages:
            return
        averages = [to_numpy(v) for v in self.averages]
        self.values = averages + [to_numpy(v) for v in self.statistics.variables]
        if not self.recounted:
            return
        try:
            with self:
                self.statistics.count(batches, ranks)
                self.values = averages + [to_numpy(v) for v in self.statistics.variables]
        except BaseException:  # averages do not go with statistics of other weights
            self.drop()
            raise

    def drop(self) -> None:
        """Let the model be judged and saved as it is: its weights have moved on, and the statistics are theirs."""
        self.values = []

    def keep(self) -> None:
        """Let the model carry them for good, as Keras' `fit` leaves it."""
        if self.values:
            set_values(self.variables, self.values)

    def __enter__(self) -> None:
        if self.values:
            self.raw = [to_numpy(v) for v in self.variables]
            set_values(self.variables, self.values)

    def __exit__(self, *_: Any) -> None:
        if self.values:
            set_values(self.variables, self.raw)
