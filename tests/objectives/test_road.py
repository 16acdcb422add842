"""MaxF and average precision against scikit-learn, KITTI's rule in loops, and by hand."""

import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.road import RoadScores


def scorer_of(*pairs, n_classes=2, positive=1):
    scorer = RoadScores(n_classes, positive)
    for truth, probability in pairs:
        scorer.update(np.array(truth, np.uint8), None, {positive: np.array(probability)}.__getitem__)
    return scorer


def scored(*pairs, **options):
    return scorer_of(*pairs, **options).scores()


def road(seed, n_classes=2, positive=1, sharp=2.0):
    """Three images: truth with void, and probabilities that tell the class often but not always."""
    rng, pairs = np.random.default_rng(seed), []
    for _ in range(3):
        truth = rng.integers(0, n_classes, (40, 60)).astype(np.uint8)
        logit = sharp * (truth == positive) - 1 + rng.normal(size=truth.shape)
        truth[rng.random(truth.shape) < 0.1] = 255
        pairs.append((truth, (1 / (1 + np.exp(-logit))).astype(np.float32)))
    return pairs


@pytest.mark.parametrize("seed,n_classes,positive,sharp", [(0, 2, 1, 2.0), (1, 2, 0, 0.1), (2, 11, 3, 3.0),
                                                            (3, 2, 1, 30.0)])
def test_scikit_learn(seed, n_classes, positive, sharp):
    pairs = road(seed, n_classes, positive, sharp)
    valid = np.concatenate([truth.ravel() < n_classes for truth, _ in pairs])
    truth = np.concatenate([truth.ravel() == positive for truth, _ in pairs])[valid]
    level = np.rint(255 * np.concatenate([p.ravel() for _, p in pairs])[valid]).astype(int)
    found = scored(*pairs, n_classes=n_classes, positive=positive)

    precision, recall, thresholds = precision_recall_curve(truth, level)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    assert found["max_f"] == pytest.approx(f1.max(), abs=1e-12)
    assert found["average_precision_area"] == pytest.approx(average_precision_score(truth, level), abs=1e-12)
    # KITTI's rule on scikit-learn's curve, whose last point, of recall 0 and precision 1, no threshold has.
    highest = [precision[:-1][(recall[:-1] >= tenth / 10 - 1e-12) & (recall[:-1] > 0)].max() for tenth in range(11)]
    assert found["average_precision"] == pytest.approx(np.mean(highest), abs=1e-12)

    at = level >= round(255 * found["max_f_threshold"])
    (tn, fp), (fn, tp) = confusion_matrix(truth, at)
    expected = {"precision": tp / (tp + fp), "recall": tp / (tp + fn), "false_positive_rate": fp / (fp + tn),
                "false_negative_rate": fn / (fn + tp)}
    assert {name: found[f"max_f_{name}"] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert found["max_f"] == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=1e-12)
    assert found["positive_class"] == positive
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_by_hand():
    # Of 10 pixels of the class 5 come alone, then 3 with 2 others, then 2 with 10 others.
    truth = [[1] * 5 + [1] * 3 + [0] * 2 + [1] * 2 + [0] * 10]
    probability = [[1.0] * 5 + [0.6] * 5 + [0.2] * 12]
    found = scored((truth, probability))
    assert found["max_f"] == pytest.approx(2 * 8 / (10 + 10))
    # The lowest of the thresholds that say the same: the first above 0.2 = 51 / 255.
    assert found["max_f_threshold"] == pytest.approx(52 / 255)
    assert found["max_f_precision"] == pytest.approx(0.8) and found["max_f_recall"] == pytest.approx(0.8)
    assert found["max_f_false_positive_rate"] == pytest.approx(2 / 12)
    assert found["max_f_false_negative_rate"] == pytest.approx(0.2)
    # Recalls 0 to 0.5 at precision 1, 0.6 to 0.8 at 0.8, then 10 of 22.
    assert found["average_precision"] == pytest.approx((6 * 1 + 3 * 0.8 + 2 * 10 / 22) / 11)
    assert found["average_precision_area"] == pytest.approx(0.5 * 1 + 0.3 * 0.8 + 0.2 * 10 / 22)
    precision, recall = scorer_of((truth, probability)).curve()
    assert precision.shape == recall.shape == (256,)
    assert (recall[[0, 51, 52, 153, 154, 255]] == [1, 1, 0.8, 0.8, 0.5, 0.5]).all()


def test_recalls_that_equal_tenths_count():
    # 3 of 10 found: 0.3 is below the float 3 * 0.1.
    found = scored(([[1] * 10 + [0] * 10], [[0.9] * 3 + [0.1] * 17]))
    assert found["average_precision"] == pytest.approx((4 * 1 + 7 * 0.5) / 11)


def test_perfect_and_blind():
    truth = np.array([[0, 1], [1, 0]])
    perfect = scored((truth, truth.astype(float)))
    assert {perfect[name] for name in ("max_f", "average_precision", "average_precision_area")} == {1.0}
    assert perfect["max_f_false_positive_rate"] == perfect["max_f_false_negative_rate"] == 0
    blind = scored((truth, np.full((2, 2), 0.5)))
    assert blind["max_f"] == pytest.approx(2 / 3) and blind["average_precision"] == pytest.approx(0.5)
    inverted = scored((truth, 1.0 - truth))
    assert inverted["average_precision"] == pytest.approx(0.5) and inverted["max_f_threshold"] == 0


def test_without_the_class_or_without_others():
    found = scored((np.zeros((2, 2)), np.ones((2, 2))))
    assert found.pop("positive_class") == 1 and set(found.values()) == {None}
    assert set(scored((np.full((2, 2), 255), np.ones((2, 2)))).values()) == {None, 1}
    found = scored((np.ones((2, 2)), np.ones((2, 2))))
    assert found["max_f"] == 1 and found["max_f_false_positive_rate"] is None


def test_what_is_no_number_is_not_the_class():
    with np.errstate(invalid="raise"):  # no cast of what has no integer, which machines do differently
        found = scored((np.array([[1, 0]]), np.array([[1.0, np.nan]])))
    assert found["average_precision"] == 1


def test_parts_add_up_to_the_whole():
    pairs = road(5)
    whole, parts = scorer_of(*pairs), [scorer_of(pair) for pair in pairs]
    assert whole.counts.dtype == np.int64 and whole.counts.sum() == sum((truth < 2).sum() for truth, _ in pairs)
    np.testing.assert_array_equal(whole.counts, sum(part.counts for part in parts))


def test_unequal_shapes_are_refused():
    with pytest.raises(UsageError, match=r"truth \(2, 3\) and probability \(3, 2\) differ"):
        scored((np.zeros((2, 3)), np.zeros((3, 2))))
