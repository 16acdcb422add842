"""The picture of a precision-recall curve."""

import numpy as np

from segnet_hpu.evaluation.metrics import make_scorers
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.inference.precision_recall import BEST, LINE, MARGIN, SIDE, draw_curve, write_curve


def at(recall, precision):
    """Row and column of a point."""
    return MARGIN + round(SIDE * (1 - precision)), MARGIN + round(SIDE * recall)


def test_line_and_mark_lie_where_the_numbers_are():
    # From recall 1 at precision 0.5 straight to recall 0.5 at precision 1, then nothing is found.
    recall, precision = np.array([1, 0.75, 0.5, 0]), np.array([0.5, 0.75, 1, 0])
    picture = draw_curve(precision, recall, 1 / 3, "title")
    assert tuple(picture[at(0.75, 0.75)]) == BEST
    assert tuple(picture[at(0.9, 0.6)]) == tuple(picture[at(0.6, 0.9)]) == LINE
    assert tuple(picture[at(0.25, 0.5)]) == (255, 255, 255)  # no line to the origin


def test_no_picture_without_the_class(tmp_path):
    card = Scorecard(2, make_scorers(["boundary", "road"], ["ground", "road"]))
    ground = np.zeros((4, 4), np.uint8)
    card.update(ground, ground, lambda c: np.full((4, 4), 0.5))
    assert not write_curve(tmp_path / "curve.png", card, ["ground", "road"])
    assert not list(tmp_path.iterdir())
    card.update(ground + 1, ground, lambda c: np.full((4, 4), 0.5))
    assert write_curve(tmp_path / "curve.png", card, ["ground", "road"])
    assert (tmp_path / "curve.png").stat().st_size
