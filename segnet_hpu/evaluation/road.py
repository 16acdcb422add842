"""One class against the rest over all thresholds of its probability, as KITTI Road scores it."""

from collections.abc import Callable
from typing import cast

import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.scores import ROAD, Scores

LEVELS = 256  # thresholds 0, 1/255, ..., 1, as of KITTI's 8-bit maps


class RoadScores:
    """MaxF and average precision of one class (Fritsch, Kuehnl, Geiger, ITSC 2013), gathered image by image.

    The benchmark counts in bird's-eye view; this counts pixels of the image. A pixel is taken for the class at
    threshold t if its probability, rounded to a multiple of 1/255, is at least t. Void pixels (truth no class
    0..n-1) do not count.

    counts: int64 (2, 256): pixels of other classes, and of the class, by probability.
    """

    def __init__(self, n_classes: int, positive: int) -> None:
        """positive: the class's id."""
        self.n_classes, self.positive = n_classes, positive
        self.counts = np.zeros((2, LEVELS), np.int64)

    def update(self, truth: np.ndarray, classes: object, probability: Callable[[int], np.ndarray]) -> None:
        """Count an image: class ids uint8 (y, x), and a function from a class's id to its probability, float
        0..1 (y, x); what is no number counts as 0. classes are not looked at. Raises UsageError for unequal shapes.
        """
        found = probability(self.positive)
        if truth.shape != found.shape:
            raise UsageError(f"truth {truth.shape} and probability {found.shape} differ in shape; "
                             "resize the logits to the label's own size")
        levels = np.rint(np.nan_to_num(found) * (LEVELS - 1)).astype(np.uint8)
        right = truth == self.positive
        for row, pixels in zip(self.counts, (~right & (truth < self.n_classes), right), strict=True):
            row += np.bincount(levels[pixels], minlength=LEVELS)

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (precision, recall), float64 (256,), by threshold from 0 to 1; both 0 where no pixel of the class
        is found. The truth must hold some."""
        false, right = self._found()
        return right / np.maximum(right + false, 1), right / right[0]

    def scores(self) -> Scores:
        """Return a dict of floats; all None but the class's id without a pixel of the class.

        positive_class: its id. max_f: the highest F1 of all thresholds; the lowest threshold that reaches it is
        max_f_threshold, and there are max_f_precision, max_f_recall, max_f_false_positive_rate (None if there
        is no pixel of other classes) and max_f_false_negative_rate. average_precision: KITTI's, the mean over
        the recalls 0, 0.1, ..., 1 of the highest precision at that recall or above. average_precision_area:
        precision summed over the steps of recall, without interpolation.
        """
        false, right = self._found()
        positives, negatives = right[0], false[0]
        if not positives:
            return cast(Scores, dict.fromkeys(ROAD) | {"positive_class": self.positive})
        precision, recall = self.curve()
        f1 = 2 * right / (right + false + positives)
        best = int(f1.argmax())
        # Shares of whole numbers, because the floats 0.1, 0.2, ... would miss recalls that equal them.
        highest = [precision[10 * right >= tenth * positives].max() for tenth in range(11)]
        values = (f1[best], best / (LEVELS - 1), precision[best], recall[best],
                  false[best] / negatives if negatives else None, 1 - recall[best],
                  np.mean(highest), -np.diff(recall, append=0) @ precision)
        figures = {name: None if value is None else float(value)
                   for name, value in zip(ROAD, values, strict=True)}
        return cast(Scores, {"positive_class": self.positive} | figures)

    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels taken for the class by threshold, int64 (256,): of other classes, and of the class."""
        false, right = self.counts[:, ::-1].cumsum(1)[:, ::-1]
        return false, right
