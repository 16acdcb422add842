"""The confusion matrix and its scores, in NumPy alone: scoring needs no TensorFlow."""

from collections.abc import Sequence

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.scores import Scores


class ConfusionMatrix:
    """Pixel counts of (true class, predicted class), gathered image by image in NumPy.

    counts: int64 (n, n), rows the truth, columns the prediction. Counts of several ranks or parts add up
    (`+`), which means of scores do not. Raises UsageError if `counts` is no (n, n) array.
    """

    def __init__(self, n_classes: int, counts: np.ndarray | None = None) -> None:
        self.n_classes = n_classes
        self.counts = np.array(np.zeros((n_classes, n_classes)) if counts is None else counts, np.int64)
        if self.counts.shape != (n_classes, n_classes):
            raise UsageError(f"confusion counts are {self.counts.shape}; expected {(n_classes, n_classes)}")

    def update(self, truth: np.ndarray, prediction: np.ndarray, ignore_label: int | None = VOID) -> None:
        """Count integer arrays of one shape, any number of dimensions.

        Pixels whose truth is `ignore_label` (None: there is none) or no class 0..n-1 are left out.
        Raises UsageError for unequal shapes, for other than integers, and for a prediction outside 0..n-1
        at a counted pixel.
        """
        truth, prediction = np.asarray(truth), np.asarray(prediction)
        if truth.shape != prediction.shape:
            raise UsageError(f"truth {truth.shape} and prediction {prediction.shape} differ in shape; "
                             "resize the prediction to the label's own size")
        for array in (truth, prediction):
            if not np.issubdtype(array.dtype, np.integer):
                raise UsageError(f"labels are {array.dtype}; expected class ids of an integer type")
        keep = (truth >= 0) & (truth < self.n_classes)
        if ignore_label is not None:
            keep &= truth != ignore_label
        rows, columns = truth[keep].astype(np.int64), prediction[keep].astype(np.int64)
        if columns.size and (columns.min() < 0 or columns.max() >= self.n_classes):
            raise UsageError(f"predicted classes run from {columns.min()} to {columns.max()}; "
                             f"expected 0 to {self.n_classes - 1}")
        cells = np.bincount(rows * self.n_classes + columns, minlength=self.n_classes**2)
        self.counts += cells.reshape(self.counts.shape)

    def __add__(self, other: "ConfusionMatrix") -> "ConfusionMatrix":
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        if other.n_classes != self.n_classes:
            raise UsageError(f"matrices of {self.n_classes} and {other.n_classes} classes cannot add")
        return ConfusionMatrix(self.n_classes, self.counts + other.counts)

    def never_predicted(self) -> list[int]:
        """Return the classes that the truth holds and no pixel was taken for."""
        return np.flatnonzero((self.counts.sum(1) > 0) & (self.counts.sum(0) == 0)).tolist()

    def scores(self) -> Scores:
        """Return a dict of floats in 0..1, ready for JSON.

        pixel_accuracy; mean_accuracy, mean_iou, mean_dice: means over the classes present in the truth;
        frequency_weighted_iou: IoU weighted by the class's share of the truth; per_class: a list of dicts
        id, iou, accuracy (recall), precision, dice (F1), pixels (of the truth). A class that the truth
        lacks has None for its scores, even where it is predicted: there it lowers the IoU of the classes it
        was taken for. The precision of a class that is never predicted is 0. Without any counted pixel all
        scores are None. (Long et al. 2015.)
        """
        truth, predicted, right = self.counts.sum(1), self.counts.sum(0), np.diag(self.counts)
        iou = _share(right, truth + predicted - right, truth)
        accuracy = _share(right, truth, truth)
        precision = _share(right, np.maximum(predicted, 1), truth)
        dice = _share(2 * right, truth + predicted, truth)
        return {
            "pixel_accuracy": _mean(accuracy, truth),
            "mean_accuracy": _mean(accuracy),
            "mean_iou": _mean(iou),
            "frequency_weighted_iou": _mean(iou, truth),
            "mean_dice": _mean(dice),
            "per_class": [
                {"id": i, "iou": iou[i], "accuracy": accuracy[i], "precision": precision[i], "dice": dice[i],
                 "pixels": int(truth[i])}
                for i in range(self.n_classes)],
        }


def _share(part: np.ndarray, whole: np.ndarray, truth: np.ndarray) -> list[float | None]:
    """Return part / whole of every class as a list, None where `truth` is 0."""
    return [float(p / w) if t else None for p, w, t in zip(part, whole, truth, strict=True)]


def _mean(values: Sequence[float | None], weights: np.ndarray | None = None) -> float | None:
    """Return the mean of the values that are not None, None without any."""
    present = [i for i, value in enumerate(values) if value is not None]
    if not present:
        return None
    return float(np.average([values[i] for i in present],
                            weights=None if weights is None else weights[present]))
