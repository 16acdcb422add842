"""The form of scores: numbers 0 to 1, ready for JSON; None where the truth has nothing to count."""

from typing import TypedDict


class ClassScores(TypedDict, total=False):
    """Scores of one class. pixels: of the truth. name: see tables.named_scores. Further scorers add their own."""

    id: int
    name: str
    iou: float | None
    accuracy: float | None
    precision: float | None
    dice: float | None
    pixels: int
    boundary_f1: float | None


# The numbers of every evaluation.
SCORES = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou", "mean_dice")
# The numbers of road.RoadScores.
ROAD = ("max_f", "max_f_threshold", "max_f_precision", "max_f_recall", "max_f_false_positive_rate",
        "max_f_false_negative_rate", "average_precision", "average_precision_area")


class Scores(TypedDict, total=False):
    """Scores of a whole evaluation. positive_class: the id, in named scores the name, that the keys from max_f on
    are of. The further scorers' keys are there where they were asked for."""

    pixel_accuracy: float | None
    mean_accuracy: float | None
    mean_iou: float | None
    frequency_weighted_iou: float | None
    mean_dice: float | None
    per_class: list[ClassScores]
    boundary_f1: float | None
    positive_class: int | str
    max_f: float | None
    max_f_threshold: float | None
    max_f_precision: float | None
    max_f_recall: float | None
    max_f_false_positive_rate: float | None
    max_f_false_negative_rate: float | None
    average_precision: float | None
    average_precision_area: float | None
