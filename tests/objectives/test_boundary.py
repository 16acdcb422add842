"""Boundary F1 against all pairs of pixels in plain loops, by hand, and on shifted real labels."""

import json

import cv2
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.boundary import ONE, BoundaryF1


def scored(*pairs, n_classes=2, **options):
    scorer = BoundaryF1(n_classes, **options)
    for truth, prediction in pairs:
        scorer.update(np.array(truth, np.uint8), np.array(prediction, np.uint8))
    return scorer.scores()


def blobs(rng, size, n_classes):
    """A map of smooth regions."""
    noise = rng.random((n_classes, 7, 8)).astype(np.float32)
    return np.stack([cv2.resize(plane, size[::-1]) for plane in noise]).argmax(0).astype(np.uint8)


def edge_pixels(classes, truth, chosen, n_classes):
    """[(y, x)] of a class's boundary, pixel by pixel."""
    found = []
    for y, x in zip(*np.nonzero((classes == chosen) & (truth < n_classes)), strict=True):
        for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            inside = 0 <= v < truth.shape[0] and 0 <= u < truth.shape[1]
            if inside and truth[v, u] < n_classes and classes[v, u] != chosen:
                found.append((y, x))
                break
    return np.array(found).reshape(-1, 2)


def matched(pixels, others, reach):
    distances = np.sqrt(((pixels[:, None] - others[None]) ** 2).sum(-1))
    return (distances.min(1) <= reach).mean()


def by_hand(truth, prediction, n_classes, tolerance):
    """{class: F1} of the classes in the truth."""
    reach, scores = tolerance * np.sqrt(truth.shape[0]**2 + truth.shape[1]**2), {}
    for c in range(n_classes):
        if not (truth == c).any():
            continue
        a, b = edge_pixels(truth, truth, c, n_classes), edge_pixels(prediction, truth, c, n_classes)
        if len(a) and len(b):
            precision, recall = matched(b, a, reach), matched(a, b, reach)
            scores[c] = 2 * precision * recall / (precision + recall) if precision + recall else 0
        else:
            scores[c] = 1 if len(a) == len(b) else 0
    return scores


@pytest.mark.parametrize("tolerance", [0, 0.0075, 0.03, 0.2])
def test_all_pairs_of_pixels(tolerance):
    rng, n_classes, pairs = np.random.default_rng(1), 5, []
    for size in ((31, 44), (40, 30), (25, 60), (30, 40)):
        truth = blobs(rng, size, n_classes)
        prediction = np.where(cv2.resize(rng.random((5, 5)), size[::-1]) < 0.6, np.roll(truth, 1, 1),
                              blobs(rng, size, n_classes)).astype(np.uint8)
        truth[blobs(rng, size, 6) == 0] = 255
        truth[truth == 3] = 200  # no class either
        pairs.append((truth, prediction))
    expected = [by_hand(*pair, n_classes, tolerance) for pair in pairs]
    found = scored(*pairs, n_classes=n_classes, tolerance=tolerance)
    assert found["boundary_f1"] == pytest.approx(np.mean([np.mean(list(e.values())) for e in expected]), abs=1e-9)
    for c, row in enumerate(found["per_class"]):
        values = [e[c] for e in expected if c in e]
        assert row["boundary_f1"] == (pytest.approx(np.mean(values), abs=1e-9) if values else None)
    assert found["per_class"][3]["boundary_f1"] is None
    assert 0.05 < found["boundary_f1"] < 1  # neither all nor nothing is matched
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def halves(height, width, at):
    """0 to the left of the column `at`, 1 from there."""
    return np.repeat([[0] * at + [1] * (width - at)], height, axis=0)


HALVES = halves(20, 20, 10)


@pytest.mark.parametrize("size,allowed", [((300, 400), 3), ((360, 480), 4), ((480, 640), 6)])
def test_tolerance_is_a_share_of_the_diagonal_and_includes_its_end(size, allowed):
    """Diagonals of 500, 600 and 800 pixels, of which 0.75 % are 3.75, 4.5 and just 6."""
    truth = halves(*size, 200)
    assert scored((truth, halves(*size, 200 + allowed)))["boundary_f1"] == 1
    assert scored((truth, halves(*size, 201 + allowed)))["boundary_f1"] == 0


def test_by_hand():
    # A square of 3 in 20 x 20, of which the prediction has 2 more columns: nothing but equal pixels matches.
    truth, prediction = np.zeros((20, 20)), np.zeros((20, 20))
    truth[5:8, 5:8] = 1
    prediction[5:8, 5:10] = 1
    # Class 1: boundaries of 8 and of 12 pixels, 7 in common. Class 0: the 12 and the 16 pixels beside, 9 in common.
    found = scored((truth, prediction))
    ones, zeros = 2 * 7 / (8 + 12), 2 * 9 / (12 + 16)
    assert [row["boundary_f1"] for row in found["per_class"]] == pytest.approx([zeros, ones], abs=1e-9)
    assert found["boundary_f1"] == pytest.approx((ones + zeros) / 2, abs=1e-9)
    # Matching goes both ways: a spot beside the square costs precision only.
    spot = truth.copy()
    spot[15, 15] = 1
    assert scored((truth, spot))["per_class"][1]["boundary_f1"] == pytest.approx(2 * 8 / (8 + 9), abs=1e-9)


def test_classes_without_a_boundary():
    zeros, ones = np.zeros((20, 20)), np.ones((20, 20))
    assert scored((zeros, zeros))["boundary_f1"] == 1
    assert scored((zeros, HALVES))["boundary_f1"] == 0
    assert scored((HALVES, zeros))["boundary_f1"] == 0
    # Wholly wrong, but of boundaries there are none: areas are for other scores.
    assert scored((zeros, ones))["boundary_f1"] == 1
    # A class that only the prediction has does not count by itself.
    assert scored((HALVES, np.where(HALVES, 2, 0)), n_classes=3)["per_class"] == [
        {"boundary_f1": 1.0}, {"boundary_f1": 0.0}, {"boundary_f1": None}]


def test_void_is_in_neither_map():
    truth, prediction = HALVES.copy(), HALVES.copy()
    truth[:, 8:12] = 255
    prediction[:, 9:11] = 1 - prediction[:, 9:11]
    assert scored((truth, prediction))["boundary_f1"] == 1
    prediction[3, 2] = 1
    assert scored((truth, prediction))["boundary_f1"] == 0
    void = np.full((20, 20), 255)
    assert scored((void, HALVES)) == {"boundary_f1": None, "per_class": [{"boundary_f1": None}] * 2}
    assert scored((void, HALVES), (HALVES, HALVES))["boundary_f1"] == 1


def test_sums_are_the_same_in_any_order():
    rng = np.random.default_rng(0)
    pairs = [(blobs(rng, (30, 40), 4), blobs(rng, (30, 40), 4)) for _ in range(9)]
    whole, parts = BoundaryF1(4), [BoundaryF1(4) for _ in range(3)]
    for i, pair in enumerate(pairs):
        whole.update(*pair)
        parts[-i % 3].update(*pair)
    np.testing.assert_array_equal(whole.counts, sum(part.counts for part in parts))
    assert whole.counts.dtype == np.int64 and whole.counts[0, -1] % ONE


def test_real_labels_shifted(real_data):
    """Of the 4.5 pixels that are allowed a shift leaves nearly all within reach, or it does not."""
    paths = sorted((real_data / "camvid").rglob("*annot*/*.png"))[:4]
    labels = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in paths]
    assert labels[0].shape == (360, 480)
    scores = [scored(*[(label[:, :-k or None], label[:, k:]) for label in labels], n_classes=11)["boundary_f1"]
              for k in (0, 2, 4, 8, 16)]
    assert scores[0] == 1 and scores == sorted(scores, reverse=True)
    assert scores[2] > 0.85 and scores[3] < 0.75 and scores[4] < 0.5


def test_unequal_shapes_are_refused():
    with pytest.raises(UsageError, match=r"truth \(2, 3\) and prediction \(3, 2\) differ"):
        scored((np.zeros((2, 3)), np.zeros((3, 2))))
