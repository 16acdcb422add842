"""keras_segmentation's `metrics`."""

import numpy as np
from numpy.typing import ArrayLike


def get_iou(gt: ArrayLike, pr: ArrayLike, n_classes: int) -> np.ndarray:
    """Return the intersection over union of each class, float64 (n_classes,), of two integer maps of one shape.

    As there, a class that is in neither map has 0. `predict.evaluate` and `segnet-hpu evaluate_model` leave
    such classes out of the mean.
    """
    gt, pr = np.asarray(gt), np.asarray(pr)
    iou = np.zeros(n_classes)
    for c in range(n_classes):
        union = np.sum((gt == c) | (pr == c))
        iou[c] = np.sum((gt == c) & (pr == c)) / union if union else 0.0
    return iou
