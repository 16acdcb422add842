"""Check what the main job left: a checkpoint, metrics, scores above the baselines, pictures."""

import csv
import json
import sys
from pathlib import Path

import numpy as np

from segnet_hpu.data.source import FolderSource
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix


def constant_baseline(source, n_classes, ignore_label):
    """The best mean IoU that any constant prediction reaches."""
    truth = sum(np.bincount(source[i][1].ravel(), minlength=256)[:n_classes] for i in range(len(source)))
    truth[ignore_label] = 0
    scores = []
    for constant in range(n_classes):
        matrix = ConfusionMatrix(n_classes)
        matrix.counts[:, constant] = truth
        scores.append(matrix.scores()["mean_iou"])
    return max(scores)


run = Path(sys.argv[1])
scores = json.loads((run / "evaluation.json").read_text())
test_set = FolderSource("dataset1/images_prepped_test", "dataset1/annotations_prepped_test")
baseline = constant_baseline(test_set, 12, 11)
pictures = list((run / "pictures").glob("*.png"))
epochs = list(csv.DictReader((run / "metrics.csv").open()))
print(f"mean IoU {scores['mean_iou']:.4f}; the best constant prediction reaches {baseline:.4f}; "
      f"{len(pictures)} pictures, {len(epochs)} epochs")
assert list((run / "checkpoints").glob("*.best.keras")) and len(pictures) >= 8 and epochs
assert scores["mean_iou"] > 2 * baseline
