"""A cheap accuracy for training logs; `evaluation.metrics.ConfusionMatrix` is for judging."""

from typing import Any

import keras
from keras import ops

from segnet_hpu.constants import VOID


def count_pixels(labels: Any, logits: Any, ignore_label: int = VOID, sample_weight: Any = None) -> list[Any]:
    """Return [valid pixels whose largest logit is the label's, valid pixels], float32 scalars.

    labels: integers (B, h, w); logits: (B, h, w, C); sample_weight: None, or numbers that broadcast to (B, h, w).
    Void pixels as in the losses.
    """
    labels = ops.cast(labels, "int32")
    valid = (labels != ignore_label) & (labels >= 0) & (labels < logits.shape[-1])
    right = valid & (labels == ops.cast(ops.argmax(logits, -1), "int32"))
    weight = 1.0 if sample_weight is None else ops.cast(sample_weight, "float32")
    return [ops.sum(weight * ops.cast(pixels, "float32")) for pixels in (right, valid)]


@keras.saving.register_keras_serializable("segnet_hpu")
class PixelAccuracy(keras.metrics.Metric):
    """Share of valid pixels whose largest logit is the label's, over all batches since the reset; 0 if none.

    For Keras' own `fit` and `evaluate`; arguments as those of count_pixels.
    """

    def __init__(self, ignore_label: int = VOID, name: str = "accuracy", dtype: str = "float32") -> None:
        super().__init__(name=name, dtype=dtype)
        self.ignore_label = ignore_label
        self.right = self.add_weight(name="right", initializer="zeros")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        right, total = count_pixels(y_true, y_pred, self.ignore_label, sample_weight)
        self.right.assign_add(right)
        self.total.assign_add(total)

    def result(self) -> Any:
        return ops.divide_no_nan(self.right, self.total)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "ignore_label": self.ignore_label}
