"""Soft dice over softmax, alone and added to cross-entropy."""

import keras
from keras import ops

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses.base import SegmentationLoss
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy


@keras.saving.register_keras_serializable("segnet_hpu")
class Dice(SegmentationLoss):
    """1 - mean over the classes in the image's label of (2 sum(p t) + s) / (sum(p) + sum(t) + s).

    p: softmax, t: one-hot label, both over the image's valid pixels; s: `smooth` >= 0, in pixels.
    Milletari et al. 2016 (V-Net), with sums in place of squares (Sudre et al. 2017).
    """

    def __init__(self, ignore_label=255, smooth=1.0, name="dice", **kwargs):
        super().__init__(ignore_label, name=name, **kwargs)
        if not smooth >= 0:
            raise UsageError(f"smooth is {smooth}; expected a number of at least 0")
        self.smooth = smooth

    def per_image(self, target, logits):
        probabilities = ops.softmax(logits) * ops.sum(target, -1, keepdims=True)
        common = ops.sum(probabilities * target, (1, 2))
        pixels = ops.sum(target, (1, 2))
        present = ops.cast(pixels > 0, "float32")
        # An absent class divides by 1: with smooth 0 its sums may both be 0.
        sums = ops.where(pixels > 0, ops.sum(probabilities, (1, 2)) + pixels + self.smooth, 1.0)
        losses = present * (1.0 - (2.0 * common + self.smooth) / sums)
        return ops.sum(losses, -1) / ops.maximum(ops.sum(present, -1), 1.0)

    def get_config(self):
        return {**super().get_config(), "smooth": self.smooth}


@keras.saving.register_keras_serializable("segnet_hpu")
class CEDice(CrossEntropy):
    """CrossEntropy + Dice, with the arguments of both."""

    def __init__(self, ignore_label=255, class_weights=None, label_smoothing=0.0, smooth=1.0, name="ce_dice",
                 **kwargs):
        super().__init__(ignore_label, class_weights, label_smoothing, name=name, **kwargs)
        self.dice = Dice(ignore_label, smooth)

    def per_image(self, target, logits):
        return super().per_image(target, logits) + self.dice.per_image(target, logits)

    def get_config(self):
        return {**super().get_config(), "smooth": self.dice.smooth}
