"""Further scores on the HTML page, against those in evaluation.json's form."""

import numpy as np

from segnet_hpu.evaluation.metrics import make_scorers
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.evaluation.tables import named_scores
from segnet_hpu.inference.report.tables import class_table, score_tiles

NAMES = ["ground", "<road>"]


def scores_of(metrics):
    rng = np.random.default_rng(0)
    card = Scorecard(2, make_scorers(metrics, NAMES))
    truth = (np.arange(24 * 32).reshape(24, 32) % 32 > 12).astype(np.uint8)
    probability = np.clip(truth + rng.normal(scale=0.4, size=truth.shape), 0, 1).astype(np.float32)
    card.update(truth, (probability > 0.5).astype(np.uint8), lambda _: probability)
    return named_scores(card, NAMES)


def test_further_scores_have_tiles_and_a_column():
    scores = scores_of(["boundary", "road"])
    tiles, table = score_tiles(scores), class_table(scores, np.zeros((2, 3), np.uint8))
    for key in ("boundary_f1", "max_f", "average_precision"):
        assert 0 < scores[key] < 1 and f">{100 * scores[key]:.1f} %<" in tiles
    assert "F1 score of &lt;road&gt; at" in tiles and "<road>" not in tiles
    for row in scores["per_class"]:
        assert f"<td>{100 * row['boundary_f1']:.1f}</td>" in table


def test_without_them_neither():
    scores = scores_of([])
    assert score_tiles(scores).count("<li>") == 5 and "outline" not in class_table(scores, np.zeros((2, 3), np.uint8))
