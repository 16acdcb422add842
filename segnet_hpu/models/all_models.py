"""keras_segmentation's path of `model_from_name`."""

from segnet_hpu.compat.keras_segmentation.models import model_from_name, with_methods

__all__ = ["model_from_name", "with_methods"]
