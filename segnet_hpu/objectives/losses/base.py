"""What all losses share: sparse labels with void pixels in, one number per image out."""

import math

import keras
from keras import ops

from segnet_hpu.errors import UsageError


class SegmentationLoss(keras.losses.Loss):
    """A loss over sparse labels and logits, reduced to one number per image.

    y_true: integer labels (B, h, w). Pixels that are `ignore_label`, or no class 0..C-1, count for nothing.
    y_pred: logits (B, h, w, C) of any float type; computed in float32 always.

    `call` returns float32 (B,): each image divides by its own number of valid pixels (or classes), and
    is 0 without any. So the batch's mean is the mean over equal shares of it, whether they lie on
    several ranks or in accumulated micro-batches.

    Subclasses implement `per_image(target, logits)` with target float32 (B, h, w, C), one-hot and all
    zeros at void pixels. Raises UsageError if labels and logits do not fit.
    """

    def __init__(self, ignore_label=255, name=None, reduction="sum_over_batch_size"):
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.ignore_label = ignore_label

    def call(self, y_true, y_pred):
        logits = ops.cast(y_pred, "float32")
        labels = ops.cast(y_true, "int32")
        _check_shapes(labels.shape, logits.shape)
        return self.per_image(one_hot(labels, logits.shape[-1], self.ignore_label), logits)

    def get_config(self):
        return {**super().get_config(), "ignore_label": self.ignore_label}


def one_hot(labels, n_classes, ignore_label):
    """Return float32 (B, h, w, C) from int32 labels (B, h, w); void pixels are all zeros.

    Compared in int32: `ops.one_hot` computes in int64, which Gaudi lacks. Gathering by label instead
    is slower on the CPU, 5.0 against 3.9 ms for a loss and its gradient at (2, 160, 320, 12).
    """
    classes = ops.arange(n_classes, dtype="int32")
    hits = ops.logical_and(ops.equal(ops.expand_dims(labels, -1), classes),
                           ops.not_equal(classes, ignore_label))
    return ops.cast(hits, "float32")


def mean_over_valid(pixel_losses, target):
    """Return (B,): the sum of float32 (B, h, w) over the number of labelled pixels, at least 1."""
    return ops.sum(pixel_losses, (1, 2)) / ops.maximum(ops.sum(target, (1, 2, 3)), 1.0)


def check_weights(weights):
    """Return `weights` as a list of floats, or None; raise UsageError for a negative or infinite one."""
    if weights is None:
        return None
    weights = [float(w) for w in weights]
    for i, weight in enumerate(weights):
        if not (math.isfinite(weight) and weight >= 0):
            raise UsageError(f"class weight {i} is {weight}; expected a number of at least 0 for every class")
    return weights


def pixel_weights(target, weights):
    """Return (B, h, w): the weight of each pixel's class (1 without weights), 0 at void pixels."""
    if weights is None:
        return ops.sum(target, -1)
    check_number(weights, target)
    return ops.sum(target * ops.convert_to_tensor(weights, "float32"), -1)


def class_mean(losses, target, weights=None):
    """Return (B,): the (weighted) mean of (B, C) over the classes that each image's label has; 0 without any."""
    present = ops.cast(ops.sum(target, (1, 2)) > 0, "float32")
    if weights is not None:
        check_number(weights, target)
        present = present * ops.convert_to_tensor(weights, "float32")
    return ops.divide_no_nan(ops.sum(present * losses, -1), ops.sum(present, -1))


def check_number(weights, target):
    """Raise UsageError unless there is one weight for every class of `target`."""
    if len(weights) != target.shape[-1]:
        raise UsageError(f"{len(weights)} class weights for {target.shape[-1]} classes; "
                         "give one weight for every class")


def _check_shapes(labels, logits):
    fits = len(labels) == 3 and len(logits) == 4 and all(
        a == b or a is None or b is None for a, b in zip(labels, logits[:3], strict=True))
    if not fits:
        raise UsageError(f"labels {tuple(labels)} do not fit logits {tuple(logits)}; "
                         "expected labels (B, h, w) and logits (B, h, w, C)")
