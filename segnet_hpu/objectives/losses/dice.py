"""Soft dice over softmax, alone and added to cross-entropy."""

import keras
from keras import ops

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses.base import SegmentationLoss, check_weights, class_mean
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy


@keras.saving.register_keras_serializable("segnet_hpu")
class Dice(SegmentationLoss):
    """1 - mean over the classes in the image's label of (2 sum(p t) + s) / (sum(p) + sum(t) + s).

    p: softmax, t: one-hot label, both over the image's valid pixels; s: `smooth` >= 0, in pixels. It is
    1 - F1 with counts made soft. squared: sum(p^2) + sum(t^2) in the denominator. class_weights: C numbers
    >= 0 for a weighted mean over those classes, or None.
    Milletari et al. 2016 (V-Net), with squares; Sudre et al. 2017, with sums.
    """

    def __init__(self, ignore_label=255, smooth=1.0, squared=False, class_weights=None, name="dice", **kwargs):
        super().__init__(ignore_label, name=name, **kwargs)
        if not smooth >= 0:
            raise UsageError(f"smooth is {smooth}; expected a number of at least 0")
        self.smooth, self.squared = smooth, squared
        self.class_weights = check_weights(class_weights)

    def per_image(self, target, logits):
        return class_mean(self.per_class(target, logits), target, self.class_weights)

    def per_class(self, target, logits):
        """Return (B, C): 1 - dice of every class of every image; without meaning where the label lacks it."""
        probabilities = ops.softmax(logits) * ops.sum(target, -1, keepdims=True)
        common = ops.sum(probabilities * target, (1, 2))
        pixels = ops.sum(target, (1, 2))
        predicted = ops.sum(ops.square(probabilities) if self.squared else probabilities, (1, 2))
        # An absent class divides by 1: with smooth 0 its sums may both be 0.
        sums = ops.where(pixels > 0, predicted + pixels + self.smooth, 1.0)
        return 1.0 - (2.0 * common + self.smooth) / sums

    def get_config(self):
        return {**super().get_config(), "smooth": self.smooth, "squared": self.squared,
                "class_weights": self.class_weights}


@keras.saving.register_keras_serializable("segnet_hpu")
class CEDice(CrossEntropy):
    """CrossEntropy + Dice, with the arguments of both; class_weights are the cross-entropy's alone."""

    def __init__(self, ignore_label=255, class_weights=None, label_smoothing=0.0, smooth=1.0, squared=False,
                 name="ce_dice", **kwargs):
        super().__init__(ignore_label, class_weights, label_smoothing, name=name, **kwargs)
        self.dice = Dice(ignore_label, smooth, squared)

    def per_image(self, target, logits):
        return super().per_image(target, logits) + self.dice.per_image(target, logits)

    def get_config(self):
        return {**super().get_config(), "smooth": self.dice.smooth, "squared": self.dice.squared}
