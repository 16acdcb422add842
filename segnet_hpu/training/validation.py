"""Scores a run's model on its validation set after every epoch."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import keras
import numpy as np

from segnet_hpu.data.geometry import resize_label
from segnet_hpu.data.source import Source
from segnet_hpu.evaluation.evaluate import evaluate
from segnet_hpu.evaluation.metrics import make_scorers
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.runtime.ranks import ALONE, Ranks
from segnet_hpu.training.callbacks import Callbacks, logs_of
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.settings import Settings

Record = dict[str, Any]  # an epoch's row of metrics.csv: numbers, None for a score that the labels do not allow


class MeanLoss:
    """The mean of a loss over images, given one by one; on the CPU, while the device is at work on the next."""

    def __init__(self, loss: Any, downsampling: str = "centre") -> None:
        self.loss, self.downsampling, self.sums = loss, downsampling, np.zeros(2)

    def add(self, logits: np.ndarray, label: np.ndarray) -> None:
        """Count an image: logits (h, w, C), label uint8 of any size with 255 for void."""
        label = resize_label(label, logits.shape[:2], self.downsampling)  # as in training
        with keras.device("cpu:0"):
            value = self.loss.call(label[None].astype(np.int32), logits[None])
            self.sums += float(value[0]), 1

    def result(self, ranks: Ranks = ALONE) -> float:
        """Return the mean over the images of all ranks so far; NaN where there is none."""
        total, count = ranks.sum(self.sums)
        return float(total / count) if count else float("nan")


class ValidatedEpoch(NamedTuple):
    """record: the epoch's, with its validation's scores. score: by the monitor, the higher the better. scorecard:
    None without validation.
    """

    record: Record
    score: float
    scorecard: Scorecard | None


class Validation:
    """Scores a model on a source, or on none: then training's own figures are all there is.

    class_names: of all classes. monitor: which figure an epoch is judged by.
    """

    def __init__(self, settings: Settings, source: Source | None, class_names: Sequence[str],
                 monitor: Monitor) -> None:
        self.settings, self.source, self.class_names, self.monitor = settings, source, class_names, monitor

    def validate(self, model: TrainedModel, record: Record, ranks: Ranks, callbacks: Callbacks,
                 interruptible: AbstractContextManager[None], meet: Callable[[], None]) -> ValidatedEpoch:
        """Validate the model of an epoch that has been trained; the ranks share the work.

        interruptible: context of the long part, which may be left at any point. meet: see `evaluate`.
        """
        if self.source is None:
            return ValidatedEpoch(record, self.monitor.score(record, None), None)
        loss = MeanLoss(model.network.loss, self.settings.label_downsampling)
        callbacks.on_test_begin()
        predictor = _AnnouncingPredictor(model, self.settings.val_batch_size, callbacks, loss)
        with interruptible:
            scorecard = self._evaluate(predictor, ranks, loss, not predictor.is_heard, meet)
            predictor.end_batch()
        scores = {"loss": loss.result(ranks), **scorecard.figures()}
        callbacks.on_test_end(logs_of(scores))
        record = record | {f"val_{name}": value for name, value in scores.items()}
        return ValidatedEpoch(record, self.monitor.score(record, scorecard), scorecard)

    def evaluate(self, model: TrainedModel) -> Scorecard:
        """Return a model's Scorecard on the whole validation set."""
        return self._evaluate(Predictor(model, self.settings.val_batch_size))

    @property
    def is_whole(self) -> bool:
        """Whether the whole set is scored after an epoch, not its first batches alone."""
        return not self.settings.val_steps_per_epoch

    def _evaluate(self, predictor: Predictor, ranks: Ranks = ALONE, loss: MeanLoss | None = None,
                  overlap: bool = True, meet: Callable[[], None] = lambda: None) -> Scorecard:
        """Score the first batches of the set where a mean loss is asked for too, as after an epoch; else all."""
        assert self.source is not None
        settings, steps = self.settings, self.settings.val_steps_per_epoch if loss else None
        scorers = make_scorers(settings.val_metrics, self.class_names)
        return evaluate(predictor, self.source, len(self.class_names), settings.ignore_label,
                        steps and steps * settings.val_batch_size, ranks=ranks, scorers=scorers,
                        observe=loss.add if loss else None, overlap=overlap, meet=meet)


class _AnnouncingPredictor(Predictor):
    """Tells callbacks of its batches, as Keras' `evaluate` does; `loss` is that of the images counted so far."""

    def __init__(self, model: TrainedModel, batch_size: int, callbacks: Callbacks, loss: MeanLoss) -> None:
        super().__init__(model, batch_size)
        self.callbacks, self.loss, self.batches = callbacks, loss, 0

    @property
    def is_heard(self) -> bool:
        """Whether a callback asks for the loss after each batch; Keras marks methods that do nothing."""
        return not all(getattr(callback.on_test_batch_end, "_is_default", False)
                       for callback in self.callbacks.callbacks)

    def run(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        self.end_batch()
        self.callbacks.on_test_batch_begin(self.batches)
        self.batches += 1
        return super().run(inputs)

    def end_batch(self) -> None:
        """Tell of the end of the last batch, whose images must have been counted."""
        if self.batches:
            self.callbacks.on_test_batch_end(self.batches - 1, {"loss": self.loss.result()})
