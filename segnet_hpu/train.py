"""keras_segmentation's path of `train`."""

from segnet_hpu.compat.keras_segmentation.train import find_latest_checkpoint, train

__all__ = ["find_latest_checkpoint", "train"]
