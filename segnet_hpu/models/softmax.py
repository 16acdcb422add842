"""The documented path of `softmax_model`, for users of keras_segmentation."""

from segnet_hpu.compat.keras_segmentation.softmax import softmax_model

__all__ = ["softmax_model"]
