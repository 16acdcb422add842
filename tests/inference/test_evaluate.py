"""Scores at the labels' own size, against OpenCV and scikit-learn."""

import json
from unittest import mock

import numpy as np
import pytest
from odd import N_CLASSES, by_hand, write_pictures
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, recall_score

from segnet_hpu.cli import main
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.evaluate import evaluate
from segnet_hpu.evaluation.tables import warn_of_never_predicted
from segnet_hpu.runtime.ranks import Alone

# What is left out: the values of the labels.
VALUES = {None: range(4), 1: (0, 1, 2, 3, 255), 200: (0, 1, 2, 3, 200, 255), 255: (0, 1, 2, 3, 255)}


@pytest.fixture
def ignore():
    return None


@pytest.fixture
def truth_and_prediction(tmp_path, model, ignore):
    """All pixels of the data set in TMP, as two flat arrays."""
    images, labels = write_pictures(tmp_path, VALUES[ignore])
    return (np.concatenate([label.ravel() for label in labels]),
            np.concatenate([by_hand(model, image).ravel() for image in images]))


def expected_scores(truth, prediction, ignored):
    keep = (truth < N_CLASSES) & ~np.isin(truth, ignored)
    truth, prediction = truth[keep], prediction[keep]
    present = np.unique(truth)
    options = dict(labels=present, average=None, zero_division=0)
    iou = jaccard_score(truth, prediction, **options)
    share = np.array([(truth == c).mean() for c in present])
    return {"pixel_accuracy": accuracy_score(truth, prediction), "mean_iou": iou.mean(),
            "mean_accuracy": recall_score(truth, prediction, **options).mean(),
            "mean_dice": f1_score(truth, prediction, **options).mean(),
            "frequency_weighted_iou": (share * iou).sum()}, dict(zip(present.tolist(), iou, strict=True))


@pytest.mark.parametrize("ignore", [None, 1, 200, 255])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_scores_are_scikit_learns(tmp_path, model_file, truth_and_prediction, capsys, ignore, batch_size):
    flags = [] if ignore is None else ["--ignore_label", str(ignore)]
    assert main(["evaluate_model", "--checkpoints_path", str(model_file), "--images_path", str(tmp_path / "images"),
                 "--segs_path", str(tmp_path / "labels"), "--json", str(tmp_path / "scores.json"),
                 "--batch_size", str(batch_size), *flags]) == 0
    found = json.loads((tmp_path / "scores.json").read_text())
    expected, iou = expected_scores(*truth_and_prediction, [ignore])
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    for row in found["per_class"]:
        if row["id"] in iou:
            assert row["iou"] == pytest.approx(iou[row["id"]], abs=1e-9)
        else:
            assert row["id"] == ignore and row["iou"] is None and row["pixels"] == 0
    assert [row["name"] for row in found["per_class"]] == list("abcd")
    out = capsys.readouterr()
    assert f"{100 * expected['mean_iou']:.2f} %" in out.out


@pytest.mark.parametrize("ignore", [200])
@pytest.mark.parametrize("given, ids", [(None, "200 (317 pixels), 255 (317 pixels)"), (1, "200 (317 pixels)"),
                                        (255, "200 (317 pixels)")])
def test_ids_that_are_neither_a_class_nor_ignored_are_refused(tmp_path, model_file, truth_and_prediction, capsys,
                                                              given, ids):
    flags = [] if given is None else ["--ignore_label", str(given)]
    assert main(["evaluate_model", "--checkpoints_path", str(model_file), "--images_path", str(tmp_path / "images"),
                 "--segs_path", str(tmp_path / "labels"), "--json", str(tmp_path / "scores.json"), *flags]) == 2
    assert f"labels/0.png holds ids outside 0..3: {ids}; " in capsys.readouterr().err
    assert not (tmp_path / "scores.json").exists()


def test_names_from_the_command_line_win(tmp_path, model_file, truth_and_prediction, capsys):
    assert main(["evaluate_model", "--checkpoints_path", str(model_file), "--images_path", str(tmp_path / "images"),
                 "--segs_path", str(tmp_path / "labels"), "--class_names", "sky,tree,road,car"]) == 0
    table = capsys.readouterr().out
    assert [line.split()[1] for line in table.splitlines()[1:5]] == ["sky", "tree", "road", "car"]


def test_classes_that_are_never_predicted_are_named(capsys):
    matrix = ConfusionMatrix(4, [[5, 0, 1, 0], [3, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    assert matrix.never_predicted() == [1]
    warn_of_never_predicted(matrix, ["sky", "pole", "car", "bike"])
    err = capsys.readouterr().err
    assert "never predicted: pole (30.00% of the pixels)" in err and "car" not in err and "bike" not in err
    warn_of_never_predicted(ConfusionMatrix(2, [[1, 1], [0, 0]]), ["sky", "pole"])
    assert capsys.readouterr().err == ""


class Third(Alone):
    """One of three ranks, by itself."""

    size = 3

    def __init__(self, rank):
        self.rank = rank


class Zeros:
    """Predicts class 0."""

    batch_size = 2

    def prepare(self, image):
        return image

    def run(self, inputs):
        return inputs

    def classes(self, result, size):
        return np.zeros(size, np.uint8)

    def probability(self, result, size, class_id):
        raise NotImplementedError


@pytest.mark.parametrize("images,meetings", [(12, 2), (7, 2), (3, 1), (1, 1)])
def test_ranks_meet_equally_often_however_many_images_each_has(images, meetings):
    source = [(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8))] * images
    for rank in range(3):
        meet = mock.Mock()
        card = evaluate(Zeros(), source, 2, quiet=True, ranks=Third(rank), meet=meet)
        assert meet.call_count == meetings and card.matrix.counts.sum() == 4 * len(range(rank, images, 3))
