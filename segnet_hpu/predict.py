"""keras_segmentation's path of `predict` and its kind."""

from segnet_hpu.compat.keras_segmentation.evaluate import evaluate
from segnet_hpu.compat.keras_segmentation.models import model_from_checkpoint_path
from segnet_hpu.compat.keras_segmentation.predict import predict, predict_multiple, predict_video

__all__ = ["evaluate", "model_from_checkpoint_path", "predict", "predict_multiple", "predict_video"]
