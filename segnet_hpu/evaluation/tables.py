"""Scores as people read them: with names, as a table, as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from segnet_hpu.errors import warn
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.evaluation.scores import Scores

COLUMNS = {"iou": "IoU", "accuracy": "acc", "precision": "prec", "dice": "dice", "boundary_f1": "bF1"}
OVERALL = {"mean_iou": "mean IoU", "mean_accuracy": "mean class accuracy", "mean_dice": "mean dice",
           "pixel_accuracy": "pixel accuracy", "frequency_weighted_iou": "frequency-weighted IoU",
           "boundary_f1": "boundary F1", "max_f": "MaxF", "max_f_threshold": "  at probability",
           "max_f_precision": "  precision", "max_f_recall": "  recall",
           "max_f_false_positive_rate": "  false-positive rate",
           "max_f_false_negative_rate": "  false-negative rate",
           "average_precision": "average precision", "average_precision_area": "  without interpolation"}


def named_scores(card: Scorecard | ConfusionMatrix, names: Sequence[str]) -> Scores:
    """Return the scores of what was counted, with each class's name after its id, and the name of road's class."""
    scores = card.scores()
    scores["per_class"] = [{"id": row["id"], "name": name, **row}
                           for row, name in zip(scores["per_class"], names, strict=True)]
    if "positive_class" in scores:
        scores["positive_class"] = names[int(scores["positive_class"])]
    return scores


def warn_of_never_predicted(matrix: ConfusionMatrix, names: Sequence[str]) -> None:
    """Warn of classes that the labels hold and the network never predicts; names: of all classes."""
    share = matrix.counts.sum(1) / max(matrix.counts.sum(), 1)
    classes = ", ".join(f"{names[i]} ({share[i]:.2%} of the pixels)" for i in matrix.never_predicted())
    if classes:
        warn(f"never predicted: {classes}; see by segnet-hpu dataset stats whether the training labels hold it, then "
             "train longer, or with --class_weights median_frequency")


def score_table(scores: Mapping[str, Any]) -> str:
    """Return named scores as text: a line a class, then the overall figures, in percent."""
    rows = scores["per_class"]
    width = max(len(row["name"]) for row in rows)
    columns = [key for key in COLUMNS if key in rows[0]]
    lines = [f"{'class':<{width + 4}} {' '.join(f'{COLUMNS[key]:>6}' for key in columns)}       pixels"]
    lines += [f"{row['id']:>3} {row['name']:<{width}} {' '.join(_percent(row[key]) for key in columns)} "
              f"{row['pixels']:>12,}" for row in rows]
    for key, label in OVERALL.items():
        if key in scores:
            of = f" of {scores['positive_class']}" if key == "max_f" else ""
            lines.append(f"{label + of:<24}{_percent(scores[key])} %")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "     -" if value is None else f"{100 * value:6.2f}"
