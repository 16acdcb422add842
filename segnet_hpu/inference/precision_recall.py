"""The precision-recall curve of road's class as a picture."""

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np

from segnet_hpu.evaluation.road import RoadScores
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.files import StrPath, write_image
from segnet_hpu.inference.render import PAPER, write

SIDE, MARGIN, ROW = 400, 60, 18  # pixels
LINE, GRID, BEST = (30, 90, 180), (215, 215, 215), (200, 60, 40)


def write_curve(path: StrPath, card: Scorecard, names: Sequence[str]) -> bool:
    """Write the picture of a Scorecard that counted road's class; return whether the truth has that class at all.

    names: of all classes. Without a pixel of the class there is no curve, and nothing is written.
    """
    for road in card.scorers:
        if isinstance(road, RoadScores) and road.counts[1].any():
            scores = cast(dict[str, Any], road.scores())
            title = (f"{names[road.positive]}: MaxF {100 * scores['max_f']:.2f} %, "
                     f"average precision {100 * scores['average_precision']:.2f} %")
            write_image(path, draw_curve(*road.curve(), scores["max_f_threshold"], title))
            return True
    return False


def draw_curve(precision: np.ndarray, recall: np.ndarray, threshold: float, title: str) -> np.ndarray:
    """Return an RGB uint8 picture (H, W, 3): recall to the right, precision upwards, both 0 to 1.

    precision, recall: float (n,), by threshold from 0 to 1. threshold: the one whose point is marked.
    """
    picture = np.full((SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, 3), PAPER, np.uint8)
    for share in np.linspace(0, 1, 6):
        for ends in ([(share, 0), (share, 1)], [(0, share), (1, share)]):
            cv2.polylines(picture, [_pixels(ends)], False, GRID, 1)
        x, y = _pixels([(share, share)])[0]
        write(picture, f"{share:.1f}", x - 10, MARGIN + SIDE + 4, ROW)
        write(picture, f"{share:.1f}", MARGIN - 30, y - ROW // 2, ROW)
    # A threshold that finds nothing of the class has no precision.
    points = _pixels(np.stack([recall, precision], 1))
    cv2.polylines(picture, [points[recall > 0]], False, LINE, 2, cv2.LINE_AA)
    cv2.circle(picture, points[round(threshold * (len(points) - 1))].tolist(), 5, BEST, -1)
    for text, left, top in ((title, MARGIN, MARGIN // 4), ("precision", 4, MARGIN - 2 * ROW),
                            ("recall", MARGIN + SIDE // 2, MARGIN + SIDE + ROW + 4)):
        write(picture, text, left, top, ROW)
    return picture


def _pixels(curve: np.ndarray | Sequence[tuple[float, float]]) -> np.ndarray:
    """(recall, precision), each 0 to 1, as the picture's (x, y), int32 (n, 2)."""
    points = np.asarray(curve)
    return np.rint(MARGIN + SIDE * np.stack([points[:, 0], 1 - points[:, 1]], 1)).astype(np.int32)
