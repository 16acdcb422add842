"""All that one evaluation counts, and its scores together."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, cast

import numpy as np

from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.scores import Scores
from segnet_hpu.runtime.ranks import Ranks


class Scorer(Protocol):
    """Counts image by image what its scores come from. counts: integers that add up over images and ranks."""

    counts: np.ndarray

    def update(self, truth: np.ndarray, classes: np.ndarray, probability: Callable[[int], np.ndarray]) -> None:
        """Count an image: class ids uint8 (y, x) of truth, with 255 for void, and of prediction, and a function
        from a class's id to its probability, float32 (y, x)."""
        ...

    def scores(self) -> Scores:
        """Return numbers by name; "per_class" may hold a list with a dict a class."""
        ...


class Scorecard:
    """A ConfusionMatrix, and further scorers."""

    def __init__(self, n_classes: int, scorers: Sequence[Scorer] = ()) -> None:
        self.matrix, self.scorers = ConfusionMatrix(n_classes), scorers

    def update(self, truth: np.ndarray, classes: np.ndarray, probability: Callable[[int], np.ndarray]) -> None:
        """Count an image; see Scorer."""
        self.matrix.update(truth, classes)
        for scorer in self.scorers:
            scorer.update(truth, classes, probability)

    def add_up(self, ranks: Ranks) -> None:
        """Give every rank the counts of all."""
        counters: list[ConfusionMatrix | Scorer] = [self.matrix, *self.scorers]
        for counter in counters:
            counter.counts = ranks.sum(counter.counts)

    def scores(self) -> Scores:
        """Return the ConfusionMatrix's scores with those of the others, also those of each class.

        Raises UsageError where two have a number of one name.
        """
        scores = self.matrix.scores()
        for scorer in self.scorers:
            further = scorer.scores()
            for row, columns in zip(scores["per_class"], further.pop("per_class", ()), strict=False):
                row.update(columns)
            if shared := scores.keys() & further.keys():
                raise UsageError(f"two scores have a number {min(shared)}; let scores() of one call it otherwise")
            scores.update(further)
        return scores

    def figures(self) -> dict[str, float | None]:
        """Return those of the scores that are one number for the whole."""
        scores = cast(dict[str, Any], self.scores())
        return {name: value for name, value in scores.items() if name not in ("per_class", "positive_class")}
