"""The Tversky loss: dice with a price for each kind of error."""

from dataclasses import dataclass
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import SegmentationLoss, class_mean


@losses.register("tversky")
@dataclass(eq=False, kw_only=True)
class Tversky(SegmentationLoss):
    """1 - mean over the classes in the image's label of sum(p t) / (sum(p t) + a sum(p (1-t)) + b sum((1-p) t)).

    p: softmax, t: one-hot label, both over the image's valid pixels; a: `false_positives`, b: `false_negatives`.
    Halves of each make it dice without smoothing. Salehi et al. 2017, Tversky loss function.
    """

    false_positives: Annotated[float, Option("price of a pixel that is wrongly taken for a class", above=0)] = 0.3
    false_negatives: Annotated[float, Option("price of a pixel of a class that is missed", above=0)] = 0.7

    def per_image(self, target: Any, logits: Any) -> Any:
        probabilities = ops.softmax(logits) * ops.sum(target, -1, keepdims=True)
        common, found, pixels = (ops.sum(x, (1, 2)) for x in (probabilities * target, probabilities, target))
        wrong = self.false_positives * (found - common) + self.false_negatives * (pixels - common)
        return class_mean(1.0 - ops.divide_no_nan(common, common + wrong), target)
