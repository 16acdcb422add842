"""keras_segmentation's path of `perform_distilation`."""

from segnet_hpu.compat.keras_segmentation.model_compression import perform_distilation

__all__ = ["perform_distilation"]
