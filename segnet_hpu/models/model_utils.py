"""keras_segmentation's path of `transfer_weights` and `get_segmentation_model`."""

from segnet_hpu.compat.keras_segmentation.model_utils import get_segmentation_model, transfer_weights

__all__ = ["get_segmentation_model", "transfer_weights"]
