"""The boundary F1 measure of the SegNet paper: how well contours are met, whatever the areas."""

import cv2
import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.scores import Scores

TOLERANCE = 0.0075  # of the image's diagonal
ONE = 2**32  # F1 of 1 as an integer: integers add up to the same sum in any order


class BoundaryF1:
    """F1 of boundaries by image and class, gathered image by image (Badrinarayanan et al., arXiv 1511.00561,
    section 4; after Csurka et al., BMVC 2013).

    A boundary pixel of a class has a pixel of another class above, below, left or right of it. It is matched if
    the other map has a boundary pixel of the class within `tolerance` times the image's diagonal (Euclidean, that
    distance included). Of prediction and truth, the matched share is precision and recall. The image's F1 is the
    mean over the classes in its truth, the score the mean over the images. Where neither map has a boundary of
    such a class its F1 is 1, where only one has, 0.

    Void pixels (truth no class 0..n-1) lie in neither map, and next to them, as at the image's edge, is no
    boundary. An image all of void does not count.

    counts: int64 (2, n + 1): sums of F1 in units of 1 / ONE, and numbers of images, by class; last, by image.
    """

    def __init__(self, n_classes: int, tolerance: float = TOLERANCE) -> None:
        self.n_classes, self.tolerance = n_classes, tolerance
        self.counts = np.zeros((2, n_classes + 1), np.int64)

    def update(self, truth: np.ndarray, classes: np.ndarray, probability: object = None) -> None:
        """Count an image: class ids uint8 (y, x) of truth and prediction. probability is not looked at.

        Raises UsageError for unequal shapes.
        """
        if truth.shape != classes.shape:
            raise UsageError(f"truth {truth.shape} and prediction {classes.shape} differ in shape; "
                             "resize the prediction to the label's own size")
        valid = truth < self.n_classes
        disc = _disc(self.tolerance * np.hypot(*truth.shape))
        true_edges, edges = _edges(truth, valid), _edges(classes, valid)
        present = np.flatnonzero(np.bincount(truth[valid], minlength=1))
        scores = [_f1(true_edges & (truth == c), edges & (classes == c), disc) for c in present]
        if scores:
            where, scores = [*present, self.n_classes], [*scores, float(np.mean(scores))]
            self.counts[0, where] += np.rint(np.multiply(scores, ONE)).astype(np.int64)
            self.counts[1, where] += 1

    def scores(self) -> Scores:
        """Return boundary_f1 and, under per_class, a list of dicts with each class's: floats, or None where no
        image counts."""
        means = [float(total / ONE / images) if images else None for total, images in self.counts.T]
        return {"boundary_f1": means[-1], "per_class": [{"boundary_f1": mean} for mean in means[:-1]]}


def _edges(classes: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Where a pixel differs from one of its four neighbours, both of them valid; bool (y, x)."""
    found = np.zeros(classes.shape, bool)
    across = (classes[:, 1:] != classes[:, :-1]) & valid[:, 1:] & valid[:, :-1]
    found[:, 1:] |= across
    found[:, :-1] |= across
    down = (classes[1:] != classes[:-1]) & valid[1:] & valid[:-1]
    found[1:] |= down
    found[:-1] |= down
    return found


def _disc(radius: float) -> np.ndarray:
    """The pixels that lie within `radius` of the middle one, uint8 (2r + 1, 2r + 1)."""
    offsets = np.arange(-int(radius), int(radius) + 1)
    return (np.hypot(offsets[:, None], offsets) <= radius).astype(np.uint8)


def _f1(truth: np.ndarray, prediction: np.ndarray, disc: np.ndarray) -> float:
    """F1 of two sets of boundary pixels, bool (y, x)."""
    if not truth.any() or not prediction.any():
        return float(truth.any() == prediction.any())
    precision, recall = _matched(prediction, truth, disc), _matched(truth, prediction, disc)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _matched(pixels: np.ndarray, others: np.ndarray, disc: np.ndarray) -> float:
    """The share of `pixels` that have one of `others` within the disc."""
    # As exact as a distance transform, and several times quicker for discs of a few pixels.
    near = cv2.dilate(others.view(np.uint8), disc)
    return np.count_nonzero(near[pixels]) / np.count_nonzero(pixels)
