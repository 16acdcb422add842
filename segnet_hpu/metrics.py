"""keras_segmentation's path of `get_iou`."""

from segnet_hpu.compat.keras_segmentation.metrics import get_iou

__all__ = ["get_iou"]
