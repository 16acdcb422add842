"""Losses for sparse labels with an ignore label; see `base.SegmentationLoss` for what they share."""

from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy, Focal
from segnet_hpu.objectives.losses.dice import CEDice, Dice
from segnet_hpu.objectives.names import LOSSES

__all__ = ["CEDice", "CrossEntropy", "Dice", "Focal", "make_loss"]

# Each loss's class and the options that mean something to it.
_LOSSES = {
    "ce": (CrossEntropy, ("label_smoothing",)),
    "weighted_ce": (CrossEntropy, ("class_weights", "label_smoothing")),
    "dice": (Dice, ("smooth",)),
    "ce_dice": (CEDice, ("class_weights", "label_smoothing", "smooth")),
    "focal": (Focal, ("class_weights", "gamma")),
}


def make_loss(name, *, ignore_label=255, class_weights=None, label_smoothing=0.0, gamma=2.0, smooth=1.0):
    """Return the loss called `name` (objectives.names.LOSSES).

    Raises UsageError for an unknown name, for weighted_ce without class weights, and for class weights
    or label smoothing given to a loss that has none. `gamma` and `smooth` are left to those that use them.
    """
    if name not in LOSSES:
        raise UsageError(f"unknown loss {name!r}; expected one of "
                         f"{', '.join(LOSSES)}.{nearest(name, LOSSES)}")
    cls, accepted = _LOSSES[name]
    options = {"class_weights": class_weights, "label_smoothing": label_smoothing, "gamma": gamma,
               "smooth": smooth}
    if name == "weighted_ce" and class_weights is None:
        raise UsageError("loss weighted_ce has no class weights; give median_frequency or one number for "
                         "every class, or use loss ce")
    if class_weights is not None and "class_weights" not in accepted:
        raise UsageError(f"loss {name} takes no class weights; use weighted_ce, ce_dice or focal, or none")
    if label_smoothing and "label_smoothing" not in accepted:
        raise UsageError(f"loss {name} takes no label smoothing; use ce, weighted_ce or ce_dice, or 0")
    return cls(ignore_label, **{key: options[key] for key in accepted})
