"""Cross-entropy of the hardest pixels."""

import math
from dataclasses import dataclass
from typing import Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import ClassWeights, SegmentationLoss, pixel_weights
from segnet_hpu.objectives.losses.cross_entropy import cross_entropy


@losses.register("ohem")
@dataclass(eq=False, kw_only=True)
class OHEM(SegmentationLoss):
    """Online hard example mining: sum of w_class * ce over an image's kept pixels / their number.

    Kept are the valid pixels whose true class has a probability of at most `threshold`, in (0, 1], and in any
    case the hardest share `keep`, in [0, 1], of the valid ones, at least one, ties included. 1 for either keeps all.
    Shrivastava et al. 2016, on pixels. Sorts each image's pixels once.
    """

    threshold: Annotated[float, Option("pixels count whose class has at most this probability", above=0, maximum=1,
                                       example="0.7", alias="ohem_threshold")] = 0.7
    keep: Annotated[float, Option("share of an image's pixels, the hardest, that counts in any case", minimum=0,
                                  maximum=1, alias="ohem_keep")] = 1 / 16
    class_weights: ClassWeights = None

    def per_image(self, target: Any, logits: Any) -> Any:
        ce, valid = cross_entropy(target, logits), ops.sum(target, -1)
        kept = self._kept(ops.stop_gradient(ce), valid)
        weights = pixel_weights(target, self.class_weights)
        return ops.sum(kept * weights * ce, (1, 2)) / ops.maximum(ops.sum(kept, (1, 2)), 1.0)

    def _kept(self, ce: Any, valid: Any) -> Any:
        """Return float32 (B, h, w), 1 for the pixels that count."""
        n = ce.shape[1] * ce.shape[2]
        hardest = ops.top_k(ops.reshape(ops.where(valid > 0, ce, -1.0), (-1, n)), n)[0]
        number = ops.maximum(ops.round(self.keep * ops.sum(valid, (1, 2), keepdims=True)), 1.0)[:, :, 0]
        last = ops.sum(hardest * ops.cast(ops.arange(1, n + 1, dtype="float32") == number, "float32"), -1)
        limit = ops.minimum(last, -math.log(self.threshold))
        return valid * ops.cast(ce >= limit[:, None, None], "float32")
