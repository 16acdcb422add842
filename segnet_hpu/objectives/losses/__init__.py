"""Losses for sparse labels with an ignore label; see `base.SegmentationLoss` for what they share."""

from typing import Any

from segnet_hpu.components import Choice, Registry
from segnet_hpu.constants import VOID
from segnet_hpu.errors import users_code
from segnet_hpu.objectives.losses.base import OwnLoss, SegmentationLoss

losses = Registry(
    "loss", flag="--loss", package=__name__, functions_are_ready=True,
    expected="a function (labels, logits) -> loss, a Keras loss, or a class that makes one",
    adapt=lambda loss, ignore_label=VOID, **_: (
        loss if isinstance(loss, SegmentationLoss) else OwnLoss(function=loss, ignore_label=ignore_label)))


def make_loss(name: Any, *, ignore_label: int = VOID, **options: Any) -> SegmentationLoss:
    """Return the loss of a registered name, of MODULE:NAME, of an object of the user's own, or of a
    choice of these with options.

    options: those of the loss, such as class_weights; None means its default. See `OwnLoss` for what is not ours;
    a class of such is made for logits with void pixels, where it has parameters for that as Keras's have.
    Raises UsageError for an unknown name, for weighted_ce without class weights, for an option that the loss
    does not have and for one out of range.

    >>> make_loss("dice", smooth=2.0).smooth
    2.0
    """
    given = {option: value for option, value in options.items() if value is not None}
    choice = name if isinstance(name, Choice) else Choice(name)
    as_keras = {"from_logits": True, "ignore_class": ignore_label}
    parameters = losses.find(choice.name).parameters
    with users_code(f"--loss {choice}", losses.expected):
        return losses.make(Choice(choice.name, choice.options | given), ignore_label=ignore_label,
                           **{name: value for name, value in as_keras.items() if name in parameters})
