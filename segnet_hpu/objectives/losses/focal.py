"""The focal loss."""

from dataclasses import dataclass
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import ClassWeights, SegmentationLoss, mean_over_valid, pixel_weights
from segnet_hpu.objectives.losses.cross_entropy import cross_entropy


@losses.register("focal")
@dataclass(eq=False, kw_only=True)
class Focal(SegmentationLoss):
    """Focal loss: sum of w_class * (1 - p)^gamma * ce over the valid pixels / their number.

    p is the probability of the true class, gamma >= 0 (0 is cross-entropy), class_weights the paper's
    alpha. Lin et al. 2017, Focal Loss for Dense Object Detection.
    """

    gamma: Annotated[float, Option("the power", minimum=0, alias="focal_gamma")] = 2.0
    class_weights: ClassWeights = None

    def per_image(self, target: Any, logits: Any) -> Any:
        ce = cross_entropy(target, logits)
        # 1 - exp(-ce), kept off 0, where the slope of a power below 1 is infinite.
        missing = ops.maximum(-ops.expm1(-ce), 1e-7)
        weights = pixel_weights(target, self.class_weights)
        return mean_over_valid(weights * ops.power(missing, self.gamma) * ce, target)
