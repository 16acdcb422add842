"""A cheap accuracy for training logs; `metrics.ConfusionMatrix` is for judging."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("segnet_hpu")
class PixelAccuracy(keras.metrics.Metric):
    """Share of valid pixels whose largest logit is the label's, over all batches since the reset; 0 if none.

    y_true: integer labels (B, h, w); y_pred: logits (B, h, w, C); sample_weight: None, or numbers that
    broadcast to (B, h, w). Void pixels as in the losses.
    """

    def __init__(self, ignore_label=255, name="accuracy", dtype="float32"):
        super().__init__(name=name, dtype=dtype)
        self.ignore_label = ignore_label
        self.right = self.add_weight(name="right", initializer="zeros")
        self.total = self.add_weight(name="total", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        labels = ops.cast(y_true, "int32")
        valid = (labels != self.ignore_label) & (labels >= 0) & (labels < y_pred.shape[-1])
        right = valid & (labels == ops.cast(ops.argmax(y_pred, -1), "int32"))
        weight = 1.0 if sample_weight is None else ops.cast(sample_weight, "float32")
        self.right.assign_add(ops.sum(weight * ops.cast(right, "float32")))
        self.total.assign_add(ops.sum(weight * ops.cast(valid, "float32")))

    def result(self):
        return ops.divide_no_nan(self.right, self.total)

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype, "ignore_label": self.ignore_label}
