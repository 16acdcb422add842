"""Scores a run's model on its validation set after every epoch."""

import cv2
import keras
import numpy as np

from segnet_hpu.evaluation.evaluate import evaluate
from segnet_hpu.evaluation.metrics import make_scorers
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.runtime.ranks import ALONE
from segnet_hpu.training import checkpoint


class MeanLoss:
    """The mean of a loss over images, given one by one; on the CPU, while the device is at work on the next."""

    def __init__(self, loss):
        self.loss, self.sums = loss, np.zeros(2)

    def add(self, logits, label):
        """Count an image: logits (h, w, C), label uint8 of any size with 255 for void."""
        label = cv2.resize(label, logits.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)  # as in training
        with keras.device("cpu:0"):
            value = self.loss.call(label[None].astype(np.int32), logits[None])
            self.sums += float(value[0]), 1

    def result(self, ranks):
        """Return the mean over the images of all ranks."""
        total, count = ranks.sum(self.sums)
        return float(total / count)


class Judge:
    """Scores a TrainedModel on `validation`, a source or None. names: of the classes. monitor: a Monitor."""

    def __init__(self, settings, trained, validation, names, monitor, ranks):
        self.settings, self.trained, self.validation = settings, trained, validation
        self.names, self.monitor, self.ranks = names, monitor, ranks

    def judge(self, record):
        """Return (the epoch's record with its validation's figures, its score, Scorecard or None)."""
        card = None
        if self.validation is not None:
            loss = MeanLoss(self.trained.network.loss) if self.monitor.name == "val_loss" else None
            with checkpoint.averaged_weights(self.trained.network):
                card = self.evaluate(self.trained, self.settings.val_steps_per_epoch, self.ranks, loss and loss.add)
            scores = ({"loss": loss.result(self.ranks)} if loss else {}) | card.figures()
            record = record | {f"val_{name}": value for name, value in scores.items()}
        return record, self.monitor.score(record, card), card

    def evaluate(self, trained, steps=None, ranks=ALONE, observe=None):
        """Return a TrainedModel's Scorecard on the validation set, or on its first `steps` batches."""
        settings = self.settings
        scorers = make_scorers(settings.val_metrics, self.names)
        predictor = Predictor(trained, settings.val_batch_size)
        return evaluate(predictor, self.validation, settings.n_classes, settings.ignore_label,
                        steps and steps * settings.val_batch_size, ranks=ranks, scorers=scorers, observe=observe)
