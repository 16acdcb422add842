"""The scores beside the confusion matrix's; what computes them is imported when one is made."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option, Registry
from segnet_hpu.errors import UsageError, nearest, users_code
from segnet_hpu.evaluation.scores import ROAD, SCORES

if TYPE_CHECKING:
    from segnet_hpu.evaluation.boundary import BoundaryF1
    from segnet_hpu.evaluation.road import RoadScores
    from segnet_hpu.evaluation.scorecard import Scorer

# figures: the names of a scorer's numbers; see scorecard.Scorecard for what a scorer is.
scores = Registry("score", flag="--val_metrics",
                  expected="a class or function (n_classes, class_names) that makes a scorer (evaluation.scorecard)")


@scores.register("boundary", figures=("boundary_f1",))
def boundary(n_classes: int) -> "BoundaryF1":
    """F1 of boundaries (Csurka et al. 2013)."""
    from segnet_hpu.evaluation.boundary import BoundaryF1

    return BoundaryF1(n_classes)


@scores.register("road", figures=ROAD)
def road(n_classes: int, class_names: Sequence[str], *, positive_class: Annotated[str | None, Option(
        "name or id of the class that road scores; 1 of two if not set", alias="positive_class")] = None,
         ) -> "RoadScores":
    """MaxF and average precision of one class (Fritsch et al. 2013)."""
    positive = positive_id(positive_class, class_names)
    from segnet_hpu.evaluation.road import RoadScores

    return RoadScores(n_classes, positive)


def make_scorers(choices: Sequence[Any] | None, class_names: Sequence[str]) -> "list[Scorer]":
    """Return new scorers of what `scores.make` takes; class_names: of all classes. Raises UsageError."""
    return [_make_scorer(choice, class_names) for choice in choices or ()]


def _make_scorer(choice: Any, class_names: Sequence[str]) -> "Scorer":
    choice = scores.choice(choice)
    with users_code(f"score {choice}", scores.expected):
        scorer = scores.make(choice, n_classes=len(class_names), class_names=class_names)
        missing = [name for name in ("update", "scores", "counts") if not hasattr(scorer, name)]
        if missing:
            raise TypeError(f"the {type(scorer).__name__} that it made has no {', '.join(missing)}")
    return scorer


def figures(choices: Sequence[Any] | None, class_names: Sequence[str]) -> list[str]:
    """Return the names of all numbers of these scores. Raises UsageError where one has two meanings."""
    owners = dict.fromkeys(("loss", *SCORES), "every validation")
    for choice in choices or ():
        for name in _figures(choice, class_names):
            if name in owners:
                raise UsageError(f"score {choice}: its {name} is a number of {owners[name]} too; let its scores() "
                                 "call it otherwise")
            owners[name] = str(choice)
    return [name for name in owners if name != "loss"]


def _figures(choice: Any, class_names: Sequence[str]) -> tuple[str, ...]:
    """The names of a score's numbers: as registered, or of what a scorer of the user's own says of nothing."""
    known = scores.find(choice.name).traits.get("figures")
    if known is not None:
        return tuple(known)
    with users_code(f"score {choice}", scores.expected):
        return tuple(name for name in _make_scorer(choice, class_names).scores() if name != "per_class")


def positive_id(wanted: str | None, names: Sequence[str]) -> int:
    """Return the id of a class by its name or its id as text; None: 1 of two classes. names: of all classes.

    Raises UsageError where there is no such class.
    """
    if wanted is None and len(names) == 2:
        return 1
    ids = {str(i): i for i in range(len(names))} | {name: i for i, name in enumerate(names)}
    if wanted not in ids:
        hint = "" if wanted is None else nearest(wanted, ids)
        raise UsageError(f"--positive_class is {wanted or 'not set'}; expected the class that road scores against "
                         f"the rest, by name or id 0 to {len(names) - 1}.{hint}")
    return ids[wanted]
