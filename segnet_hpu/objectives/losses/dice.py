"""Soft dice over softmax, alone and added to cross-entropy."""

from dataclasses import dataclass
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import ClassWeights, SegmentationLoss, class_mean
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy

Smooth = Annotated[float, Option("pixels added above and below", minimum=0, alias="loss_smooth")]
Squared = Annotated[bool, Option("squares in the denominator", alias="dice_squared", ignored=False)]


@losses.register("dice")
@dataclass(eq=False, kw_only=True)
class Dice(SegmentationLoss):
    """1 - mean over the classes in the image's label of (2 sum(p t) + s) / (sum(p) + sum(t) + s).

    p: softmax, t: one-hot label, both over the image's valid pixels; s: `smooth` >= 0, in pixels. It is
    1 - F1 with counts made soft. squared: sum(p^2) + sum(t^2) in the denominator. class_weights: C numbers
    >= 0 for a weighted mean over those classes, or None.
    Milletari et al. 2016 (V-Net), with squares; Sudre et al. 2017, with sums.
    """

    smooth: Smooth = 1.0
    squared: Squared = False
    class_weights: ClassWeights = None

    def per_image(self, target: Any, logits: Any) -> Any:
        return class_mean(self.per_class(target, logits), target, self.class_weights)

    def per_class(self, target: Any, logits: Any) -> Any:
        """Return (B, C): 1 - dice of every class of every image; without meaning where the label lacks it."""
        probabilities = ops.softmax(logits) * ops.sum(target, -1, keepdims=True)
        common = ops.sum(probabilities * target, (1, 2))
        pixels = ops.sum(target, (1, 2))
        predicted = ops.sum(ops.square(probabilities) if self.squared else probabilities, (1, 2))
        # An absent class divides by 1: with smooth 0 its sums may both be 0.
        sums = ops.where(pixels > 0, predicted + pixels + self.smooth, 1.0)
        return 1.0 - (2.0 * common + self.smooth) / sums


@losses.register("ce_dice")
@dataclass(eq=False, kw_only=True)
class CEDice(CrossEntropy):
    """CrossEntropy + Dice, with the arguments of both; class_weights are the cross-entropy's alone."""

    smooth: Smooth = 1.0
    squared: Squared = False

    def per_image(self, target: Any, logits: Any) -> Any:
        dice = Dice(smooth=self.smooth, squared=self.squared)
        return super().per_image(target, logits) + dice.per_image(target, logits)
