"""Cross-entropy, plain, weighted and smoothed."""

from dataclasses import dataclass
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.errors import UsageError
from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import ClassWeights, SegmentationLoss, mean_over_valid, pixel_weights


def cross_entropy(target: Any, logits: Any, label_smoothing: float = 0.0) -> Any:
    """Return (B, h, w): -sum_c q_c log softmax_c, with q = (1 - s) * target + s / C.

    Void pixels get finite values without meaning: weigh them with 0.
    """
    # Shifting by the maximum leaves softmax as it is and keeps exp from overflowing.
    logits = logits - ops.stop_gradient(ops.max(logits, -1, keepdims=True))
    wanted = (1.0 - label_smoothing) * ops.sum(target * logits, -1)
    if label_smoothing:
        wanted = wanted + label_smoothing * ops.mean(logits, -1)
    return ops.log(ops.sum(ops.exp(logits), -1)) - wanted


@losses.register("ce")
@dataclass(eq=False, kw_only=True)
class CrossEntropy(SegmentationLoss):
    """Softmax cross-entropy: sum of w_class * ce over the valid pixels / their number.

    class_weights: C numbers >= 0, or None for 1. As in Caffe's SegNet the divisor counts pixels, not
    weights, so that weights scale the gradient. label_smoothing: share in [0, 1) of the target that is
    spread evenly over the classes (Szegedy et al. 2016); the pixel's own class sets its weight.
    """

    class_weights: ClassWeights = None
    label_smoothing: Annotated[float, Option("share of the target that is spread over all classes", minimum=0,
                                             below=1, example="0.1", alias="label_smoothing", ignored=0.0)] = 0.0

    def per_image(self, target: Any, logits: Any) -> Any:
        weights = pixel_weights(target, self.class_weights)
        return mean_over_valid(weights * cross_entropy(target, logits, self.label_smoothing), target)


@losses.register("weighted_ce")
@dataclass(eq=False, kw_only=True)
class WeightedCrossEntropy(CrossEntropy):
    """Softmax cross-entropy that must have class weights."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.class_weights is None:
            raise UsageError("loss weighted_ce has no class weights: --loss weighted_ce needs --class_weights "
                             "median_frequency or one number a class")
