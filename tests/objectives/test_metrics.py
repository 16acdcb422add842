"""Scores against scikit-learn, and hand-worked degenerate cases."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, jaccard_score, precision_score, recall_score

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.objectives.accuracy import PixelAccuracy


def images(seed, n_classes, missing=()):
    """Truth and prediction uint8 (3, 40, 50), right at about 60 %, with void; no truth of `missing`."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, (3, 40, 50)).astype("uint8")
    prediction = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, n_classes, truth.shape))
    truth[np.isin(truth, missing)] = 255
    truth[rng.random(truth.shape) < 0.1] = 255
    return truth, prediction.astype("uint8")


def gathered(truth, prediction, n_classes, **kwargs):
    matrix = ConfusionMatrix(n_classes)
    for t, p in zip(truth, prediction, strict=True):
        matrix.update(t, p, **kwargs)
    return matrix


@pytest.mark.parametrize(("n_classes", "missing"), [(12, ()), (12, (3, 11)), (2, ()), (150, (7,)), (1, ())])
def test_scores_are_those_of_scikit_learn(n_classes, missing):
    truth, prediction = images(n_classes, n_classes, missing)
    matrix = gathered(truth, prediction, n_classes)
    t, p = truth[truth != 255], prediction[truth != 255]
    assert matrix.counts.dtype == np.int64
    np.testing.assert_array_equal(matrix.counts, confusion_matrix(t, p, labels=range(n_classes)))

    scores, present = matrix.scores(), np.unique(t)
    average = {"labels": present, "average": "macro"}
    each = {"labels": present, "average": None}
    assert scores["pixel_accuracy"] == pytest.approx(accuracy_score(t, p))
    assert scores["mean_accuracy"] == pytest.approx(recall_score(t, p, **average))
    assert scores["mean_iou"] == pytest.approx(jaccard_score(t, p, **average))
    assert scores["mean_dice"] == pytest.approx(f1_score(t, p, **average))
    assert scores["frequency_weighted_iou"] == pytest.approx(
        jaccard_score(t, p, labels=present, average="weighted"))
    rows = [row for row in scores["per_class"] if row["iou"] is not None]
    assert [row["id"] for row in rows] == list(present)
    assert [row["pixels"] for row in rows] == [(t == c).sum() for c in present]
    np.testing.assert_allclose([row["iou"] for row in rows], jaccard_score(t, p, **each))
    np.testing.assert_allclose([row["dice"] for row in rows], f1_score(t, p, **each))
    np.testing.assert_allclose([row["accuracy"] for row in rows], recall_score(t, p, **each))
    np.testing.assert_allclose([row["precision"] for row in rows], precision_score(t, p, **each))
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores


def test_a_class_only_predicted_has_no_score_and_lowers_the_others():
    matrix = ConfusionMatrix(3)
    matrix.update(np.array([0, 0, 0, 1]), np.array([0, 0, 2, 1]))
    scores = matrix.scores()
    assert scores["mean_iou"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["frequency_weighted_iou"] == pytest.approx(0.75 * 2 / 3 + 0.25)
    assert scores["per_class"][2] == {"id": 2, "iou": None, "accuracy": None, "precision": None, "dice": None,
                                      "pixels": 0}


def test_all_void_has_no_scores():
    matrix = ConfusionMatrix(2)
    matrix.update(np.full((4, 4), 255, "uint8"), np.zeros((4, 4), "uint8"))
    scores = matrix.scores()
    per_class = scores.pop("per_class")
    assert set(scores.values()) == {None} and {row["iou"] for row in per_class} == {None}
    assert ConfusionMatrix(2).scores()["mean_iou"] is None


def test_wholly_wrong_scores_zero():
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([0, 1]), np.array([1, 0]))
    scores = matrix.scores()
    assert scores["pixel_accuracy"] == scores["mean_iou"] == scores["mean_dice"] == 0


def test_a_class_never_predicted_has_precision_0():
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([0, 1]), np.array([0, 0]))
    assert [row["precision"] for row in matrix.scores()["per_class"]] == [0.5, 0]


def test_parts_add_up_to_the_whole():
    truth, prediction = images(5, 9)
    whole = gathered(truth, prediction, 9)
    parts = gathered(truth[:1], prediction[:1], 9) + gathered(truth[1:], prediction[1:], 9)
    np.testing.assert_array_equal(parts.counts, whole.counts)
    assert ConfusionMatrix(9, whole.counts.tolist()).scores() == whole.scores()


def test_what_is_left_out():
    truth, prediction = np.array([0, 1, 1, 7, -1, 255]), np.array([0, 1, 0, 1, 1, 200])
    for ignore, total in ((255, 3), (0, 2), (None, 3)):
        matrix = ConfusionMatrix(2)
        matrix.update(truth, prediction, ignore)
        assert matrix.counts.sum() == total


def test_class_ids_up_to_255_do_not_wrap():
    matrix = ConfusionMatrix(256)
    matrix.update(np.array([254, 255], "uint8"), np.array([253, 0], "uint8"), ignore_label=None)
    assert matrix.counts[254, 253] == 1 and matrix.counts[255, 0] == 1 and matrix.counts.sum() == 2


@pytest.mark.parametrize(("truth", "prediction", "words"), [
    (np.zeros((2, 3), int), np.zeros((3, 2), int), "differ in shape"),
    (np.zeros(2, int), np.array([0, 5]), "from 0 to 5"),
    (np.zeros(2, int), np.array([0, -1]), "from -1 to 0"),
    (np.zeros(2, int), np.array([0.2, 0.8]), "float64"),
])
def test_wrong_pictures_are_refused(truth, prediction, words):
    matrix = ConfusionMatrix(3)
    with pytest.raises(UsageError, match=words):
        matrix.update(truth, prediction)
    assert not matrix.counts.any()


def test_wrong_counts_are_refused():
    with pytest.raises(UsageError, match=r"\(2, 2\); expected \(3, 3\)"):
        ConfusionMatrix(3, np.zeros((2, 2)))
    with pytest.raises(UsageError, match="2 and 3 classes"):
        ConfusionMatrix(2) + ConfusionMatrix(3)


def test_judging_imports_no_keras():
    code = ("import sys, segnet_hpu.evaluation.scorecard, segnet_hpu.evaluation.metrics; "
            "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow')))")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_pixel_accuracy_streams_and_restores():
    truth, prediction = images(3, 5)
    logits = keras.ops.one_hot(prediction.astype("int32"), 5)
    metric = PixelAccuracy()
    assert float(metric.result()) == 0
    metric.update_state(truth[:1], logits[:1])
    metric.update_state(truth[1:], logits[1:])
    valid = truth != 255
    assert float(metric.result()) == pytest.approx(accuracy_score(truth[valid], prediction[valid]))

    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(PixelAccuracy(0)))
    again.update_state(truth, logits)
    valid &= truth != 0
    assert float(again.result()) == pytest.approx(accuracy_score(truth[valid], prediction[valid]))
    again.reset_state()
    again.update_state(truth, logits, sample_weight=np.array([0, 2, 0]).reshape(3, 1, 1))
    assert float(again.result()) == pytest.approx(accuracy_score(truth[1][valid[1]], prediction[1][valid[1]]))
    again.reset_state()
    assert float(again.result()) == 0
