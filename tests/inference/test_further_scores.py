"""Boundary F1 and road scores of `evaluate_model`, from a model's logits at the labels' own size."""

import json

import cv2
import numpy as np
import pytest
from odd import N_CLASSES, by_hand, write_pictures
from sklearn.metrics import average_precision_score

from segnet_hpu.cli import main
from segnet_hpu.evaluation.boundary import BoundaryF1
from segnet_hpu.inference.predictor import probability_of


def softmax_by_hand(model, image, chosen):
    """Probability of a class at the picture's own size, float64."""
    small = cv2.resize(np.ascontiguousarray(image), (48, 32), interpolation=cv2.INTER_LINEAR)
    logits = np.asarray(model(small[None].astype(np.float32)))[0]
    large = cv2.resize(logits, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR).astype(float)
    return np.exp(large[..., chosen]) / np.exp(large).sum(-1)


def evaluated(folder, model_file, *flags):
    assert main(["evaluate_model", "--checkpoints_path", str(model_file), "--images_path", str(folder / "images"),
                 "--segs_path", str(folder / "labels"), "--json", str(folder / "scores.json"), *flags]) == 0
    return json.loads((folder / "scores.json").read_text())


@pytest.mark.parametrize("positive", ["c", "2"])
def test_both_beside_the_confusion_matrix(tmp_path, model, model_file, capsys, positive):
    images, labels = write_pictures(tmp_path, (0, 1, 2, 3, 255))
    plain = evaluated(tmp_path, model_file, "--ignore_label", "1")
    found = evaluated(tmp_path, model_file, "--ignore_label", "1", "--metrics", "road,boundary",
                      "--positive_class", positive, "--curve", str(tmp_path / "curve.png"))
    assert {name: found[name] for name in plain if name != "per_class"} == {
        name: value for name, value in plain.items() if name != "per_class"}

    labels = [np.where(label == 1, 255, label).astype(np.uint8) for label in labels]
    boundary = BoundaryF1(N_CLASSES)
    for image, label in zip(images, labels, strict=True):
        boundary.update(label, by_hand(model, image))
    expected = boundary.scores()
    assert found["boundary_f1"] == pytest.approx(expected["boundary_f1"]) and 0 < found["boundary_f1"] < 1
    assert [row["boundary_f1"] for row in found["per_class"]] == [
        pytest.approx(row["boundary_f1"]) for row in expected["per_class"]]

    truth = np.concatenate([label.ravel() for label in labels])
    probability = np.concatenate([softmax_by_hand(model, image, 2).ravel() for image in images])
    levels = np.rint(255 * probability)[truth < N_CLASSES]
    # A level may be another where a probability lies on the edge between two.
    assert found["average_precision_area"] == pytest.approx(
        average_precision_score(truth[truth < N_CLASSES] == 2, levels), abs=1e-3)
    assert found["positive_class"] == "c"
    assert cv2.imread(str(tmp_path / "curve.png")).shape == (520, 520, 3)
    out = capsys.readouterr().out
    for line in (f"boundary F1             {100 * found['boundary_f1']:6.2f} %",
                 f"MaxF of c               {100 * found['max_f']:6.2f} %"):
        assert line in out.splitlines()


def test_a_curve_of_a_class_that_no_label_has_is_said_to_be_missing(tmp_path, model_file, capsys):
    write_pictures(tmp_path, (0, 1, 2))
    evaluated(tmp_path, model_file, "--ignore_label", "2", "--metrics", "road", "--positive_class", "2", "--curve",
              str(tmp_path / "curve.png"))
    line, = [line for line in capsys.readouterr().err.splitlines() if "--curve" in line]
    assert line.endswith("curve.png is not written: no label holds the class that road scores")
    assert not (tmp_path / "curve.png").exists()


def test_softmax_of_planes():
    logits = np.random.default_rng(0).normal(scale=40, size=(5, 6, 7)).astype(np.float32)
    shifted = np.exp(logits.astype(float) - logits.max(0))
    for c in range(5):
        np.testing.assert_allclose(probability_of(c, iter(logits)), (shifted / shifted.sum(0))[c], atol=1e-5)
    np.testing.assert_array_equal(probability_of(0, [np.full((2, 2), 9, np.float32)]), 1)
