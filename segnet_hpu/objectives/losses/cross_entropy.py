"""Cross-entropy, plain, weighted and smoothed, and the focal loss made from it."""

import keras
from keras import ops

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses.base import (
    SegmentationLoss,
    check_weights,
    mean_over_valid,
    pixel_weights,
)


def cross_entropy(target, logits, label_smoothing=0.0):
    """Return (B, h, w): -sum_c q_c log softmax_c, with q = (1 - s) * target + s / C.

    Void pixels get finite values without meaning: weigh them with 0.
    """
    # Shifting by the maximum leaves softmax as it is and keeps exp from overflowing.
    logits = logits - ops.stop_gradient(ops.max(logits, -1, keepdims=True))
    wanted = (1.0 - label_smoothing) * ops.sum(target * logits, -1)
    if label_smoothing:
        wanted = wanted + label_smoothing * ops.mean(logits, -1)
    return ops.log(ops.sum(ops.exp(logits), -1)) - wanted


@keras.saving.register_keras_serializable("segnet_hpu")
class CrossEntropy(SegmentationLoss):
    """Softmax cross-entropy: sum of w_class * ce over the valid pixels / their number.

    class_weights: C numbers >= 0, or None for 1. As in Caffe's SegNet the divisor counts pixels, not
    weights, so that weights scale the gradient. label_smoothing: share in [0, 1) of the target that is
    spread evenly over the classes (Szegedy et al. 2016); the pixel's own class sets its weight.
    """

    def __init__(self, ignore_label=255, class_weights=None, label_smoothing=0.0, name="cross_entropy",
                 **kwargs):
        super().__init__(ignore_label, name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise UsageError(f"label_smoothing is {label_smoothing}; expected a number from 0 to below 1")
        self.class_weights = check_weights(class_weights)
        self.label_smoothing = label_smoothing

    def per_image(self, target, logits):
        weights = pixel_weights(target, self.class_weights)
        return mean_over_valid(weights * cross_entropy(target, logits, self.label_smoothing), target)

    def get_config(self):
        return {**super().get_config(), "class_weights": self.class_weights,
                "label_smoothing": self.label_smoothing}


@keras.saving.register_keras_serializable("segnet_hpu")
class Focal(SegmentationLoss):
    """Focal loss: sum of w_class * (1 - p)^gamma * ce over the valid pixels / their number.

    p is the probability of the true class, gamma >= 0 (0 is cross-entropy), class_weights the paper's
    alpha. Lin et al. 2017, Focal Loss for Dense Object Detection.
    """

    def __init__(self, ignore_label=255, gamma=2.0, class_weights=None, name="focal", **kwargs):
        super().__init__(ignore_label, name=name, **kwargs)
        if not gamma >= 0:
            raise UsageError(f"gamma is {gamma}; expected a number of at least 0")
        self.gamma = gamma
        self.class_weights = check_weights(class_weights)

    def per_image(self, target, logits):
        ce = cross_entropy(target, logits)
        # 1 - exp(-ce), kept off 0, where the slope of a power below 1 is infinite.
        missing = ops.maximum(-ops.expm1(-ce), 1e-7)
        weights = pixel_weights(target, self.class_weights)
        return mean_over_valid(weights * ops.power(missing, self.gamma) * ce, target)

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma, "class_weights": self.class_weights}
