"""Cross-entropy of the hardest pixels."""

import math

import keras
from keras import ops

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses.base import SegmentationLoss, check_weights, pixel_weights
from segnet_hpu.objectives.losses.cross_entropy import cross_entropy


@keras.saving.register_keras_serializable("segnet_hpu")
class OHEM(SegmentationLoss):
    """Online hard example mining: sum of w_class * ce over an image's kept pixels / their number.

    Kept are the valid pixels whose true class has a probability of at most `threshold`, in (0, 1], and in any
    case the hardest share `keep`, in [0, 1], of the valid ones, at least one, ties included. 1 for either keeps all.
    Shrivastava et al. 2016, on pixels. Sorts each image's pixels once.
    """

    def __init__(self, ignore_label=255, threshold=0.7, keep=1 / 16, class_weights=None, name="ohem", **kwargs):
        super().__init__(ignore_label, name=name, **kwargs)
        if not 0 < threshold <= 1:
            raise UsageError(f"threshold is {threshold}; expected a probability above 0 and at most 1")
        if not 0 <= keep <= 1:
            raise UsageError(f"keep is {keep}; expected a share from 0 to 1")
        self.threshold, self.keep = threshold, keep
        self.class_weights = check_weights(class_weights)

    def per_image(self, target, logits):
        ce, valid = cross_entropy(target, logits), ops.sum(target, -1)
        kept = self._kept(ops.stop_gradient(ce), valid)
        weights = pixel_weights(target, self.class_weights)
        return ops.sum(kept * weights * ce, (1, 2)) / ops.maximum(ops.sum(kept, (1, 2)), 1.0)

    def _kept(self, ce, valid):
        """Return float32 (B, h, w), 1 for the pixels that count."""
        n = ce.shape[1] * ce.shape[2]
        hardest = ops.top_k(ops.reshape(ops.where(valid > 0, ce, -1.0), (-1, n)), n)[0]
        number = ops.maximum(ops.round(self.keep * ops.sum(valid, (1, 2), keepdims=True)), 1.0)[:, :, 0]
        last = ops.sum(hardest * ops.cast(ops.arange(1, n + 1, dtype="float32") == number, "float32"), -1)
        limit = ops.minimum(last, -math.log(self.threshold))
        return valid * ops.cast(ce >= limit[:, None, None], "float32")

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold, "keep": self.keep,
                "class_weights": self.class_weights}
