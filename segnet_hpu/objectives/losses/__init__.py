"""Losses for sparse labels with an ignore label; see `base.SegmentationLoss` for what they share."""

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy, Focal
from segnet_hpu.objectives.losses.dice import CEDice, Dice
from segnet_hpu.objectives.losses.lovasz import CELovasz, Lovasz
from segnet_hpu.objectives.losses.ohem import OHEM
from segnet_hpu.objectives.names import LOSS_OPTIONS, LOSSES

__all__ = ["OHEM", "CEDice", "CELovasz", "CrossEntropy", "Dice", "Focal", "Lovasz", "make_loss"]

_LOSSES = {"ce": CrossEntropy, "weighted_ce": CrossEntropy, "dice": Dice, "ce_dice": CEDice, "focal": Focal,
           "lovasz": Lovasz, "ce_lovasz": CELovasz, "ohem": OHEM}


def make_loss(name, *, ignore_label=255, **options):
    """Return the loss called `name` (objectives.names.LOSSES).

    options: those of the loss's class, such as class_weights; None means its default.
    Raises UsageError for an unknown name, for weighted_ce without class weights, for an option that the loss
    does not have and for one out of range.
    """
    if name not in LOSSES:
        raise UsageError(f"unknown loss {name!r}; expected one of "
                         f"{', '.join(LOSSES)}.{nearest(name, LOSSES)}")
    options = {option: value for option, value in options.items() if value is not None}
    users = dict(LOSS_OPTIONS.values())
    for option in options:
        if name not in users.get(option, ()):
            raise UsageError(f"loss {name} takes no {option}"
                             + (f"; use {', '.join(users[option])}, or leave it out" if option in users else ""))
    if name == "weighted_ce" and "class_weights" not in options:
        raise UsageError("loss weighted_ce has no class weights; give median_frequency or one number for "
                         "every class, or use loss ce")
    return _LOSSES[name](ignore_label, **options)
