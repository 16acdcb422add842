"""All that one evaluation counts, and its scores together."""

from functools import partial

from segnet_hpu.evaluation.boundary import BoundaryF1
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.metrics import positive_id
from segnet_hpu.evaluation.road import RoadScores


class Scorecard:
    """A ConfusionMatrix, and further scorers.

    A scorer has `update(truth, classes, probability)` for an image: class ids uint8 (y, x) with 255 for void,
    and a function from a class's id to its probability (y, x); `counts`, integers that add up over images and
    ranks; and `scores()`, a dict of numbers, which under "per_class" may hold a list with a dict a class.
    """

    def __init__(self, n_classes, scorers=()):
        self.matrix, self.scorers = ConfusionMatrix(n_classes), scorers

    def update(self, truth, classes, probability):
        """Count an image; see above."""
        self.matrix.update(truth, classes)
        for scorer in self.scorers:
            scorer.update(truth, classes, probability)

    def add_up(self, ranks):
        """Give every rank the counts of all."""
        for scorer in (self.matrix, *self.scorers):
            scorer.counts = ranks.sum(scorer.counts)

    def scores(self):
        """Return the ConfusionMatrix's scores with those of the others, also those of each class."""
        scores = self.matrix.scores()
        for scorer in self.scorers:
            more = scorer.scores()
            for row, columns in zip(scores["per_class"], more.pop("per_class", ()), strict=False):
                row.update(columns)
            scores |= more
        return scores

    def figures(self):
        """Return those of the scores that are one number for the whole."""
        return {name: value for name, value in self.scores().items() if name not in ("per_class", "positive_class")}


def make_scorers(metrics, positive_class, class_names):
    """Return new scorers beside the confusion matrix, by their names in names.METRICS; None: none.

    positive_class: see chosen.positive_id, whose UsageErrors are raised. class_names: a list, of all classes.
    """
    positive = positive_id(metrics, positive_class, class_names)
    makers = {"boundary": BoundaryF1, "road": partial(RoadScores, positive=positive)}
    return [makers[name](len(class_names)) for name in metrics or ()]
