"""The Lovász-softmax loss, alone and added to cross-entropy."""

from dataclasses import dataclass
from typing import Any

from segnet_hpu.lazy import ops
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.losses.base import SegmentationLoss, class_mean
from segnet_hpu.objectives.losses.cross_entropy import CrossEntropy


@losses.register("lovasz")
@dataclass(eq=False, kw_only=True)
class Lovasz(SegmentationLoss):
    """The Lovász extension of 1 - IoU, mean over the classes in the image's label.

    Over the errors |t - p| of the valid pixels, largest first, each weighs what 1 - IoU rises by when its pixel,
    too, is wrong (p: softmax, t: one-hot label). Berman et al. 2018, "classes present", per image.
    Every class sorts the image's h * w pixels twice.
    """

    def per_image(self, target: Any, logits: Any) -> Any:
        errors = ops.abs(target - ops.softmax(logits)) * ops.sum(target, -1, keepdims=True)
        errors, truth = _by_class(errors), _by_class(target)
        # The order, and with it the weights, is constant around almost every point: no gradient.
        weights = _jaccard_steps(ops.stop_gradient(errors), truth)
        return class_mean(ops.sum(errors * weights, -1), target)


@losses.register("ce_lovasz")
@dataclass(eq=False, kw_only=True)
class CELovasz(CrossEntropy):
    """CrossEntropy + Lovasz; class_weights and label_smoothing are the cross-entropy's."""

    def per_image(self, target: Any, logits: Any) -> Any:
        return super().per_image(target, logits) + Lovasz().per_image(target, logits)


def _by_class(x: Any) -> Any:
    """(B, h, w, C) to (B, C, h * w)."""
    return ops.transpose(ops.reshape(x, (-1, x.shape[1] * x.shape[2], x.shape[3])), (0, 2, 1))


def _jaccard_steps(errors: Any, truth: Any) -> Any:
    """Return each pixel's weight, (B, C, N), from its errors >= 0 and the truth, 0 or 1.

    A wrong pixel of the class takes one from the intersection I, another one adds one to the union U: the steps
    of 1 - I/U are 1/U, and I/(U - 1) - I/U. As differences of neighbours they would lose digits. Void pixels, whose
    error is 0, come last and change no other's step.
    """
    n = errors.shape[-1]
    order = ops.cast(ops.top_k(errors, n)[1], "int32")  # PyTorch's are int64
    hits = _gather(truth, order)
    pixels, seen = ops.sum(truth, -1, keepdims=True), ops.cumsum(hits, -1)
    union = pixels + ops.arange(1, n + 1, dtype="float32") - seen
    steps = ops.where(hits > 0, 1.0 / union, (pixels - seen) / (union * ops.maximum(union - 1.0, 1.0)))
    return _gather(steps, ops.argsort(order))


def _gather(x: Any, places: Any) -> Any:
    """x[b, c, places[b, c, i]] for int32 places: Keras's take_along_axis computes in int64, which Gaudi lacks."""
    batch, classes, n = ops.shape(x)
    starts = ops.reshape(ops.arange(batch * classes, dtype="int32") * n, (batch, classes, 1))
    return ops.take(ops.reshape(x, (-1,)), places + starts, axis=0)
