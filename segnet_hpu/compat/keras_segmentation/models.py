"""keras_segmentation's `model_from_name`: models that train and predict by their own methods."""

import functools
from collections.abc import Callable
from pathlib import Path
from types import MethodType
from typing import TYPE_CHECKING, Any

from segnet_hpu.compat.keras_segmentation.evaluate import evaluate
from segnet_hpu.compat.keras_segmentation.predict import predict, predict_multiple
from segnet_hpu.compat.keras_segmentation.softmax import softmax_model
from segnet_hpu.compat.keras_segmentation.train import train
from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model
from segnet_hpu.models.registry import find, names
from segnet_hpu.models.trained_model import TrainedModel

if TYPE_CHECKING:
    import keras

METHODS: dict[str, Callable[..., Any]] = {
    "train": train, "predict_segmentation": predict, "predict_multiple": predict_multiple,
    "evaluate_segmentation": evaluate}


def with_methods(model: "keras.Model", trained: TrainedModel | None = None) -> "keras.Model":
    """Give a model of logits keras_segmentation's methods and attributes; return it.

    trained: the TrainedModel whose network it is, kept as its attribute `trained`.

    Its `predict` becomes that of softmax_model(model): arrays of `get_image_array` in, softmax (N, h * w,
    n_classes) out. Called, or by `predict_on_batch`, it maps raw RGB to logits as before.
    """
    _, model.input_height, model.input_width, _ = model.input_shape
    _, model.output_height, model.output_width, model.n_classes = model.output_shape
    model.model_name = model.name
    model.trained = trained or TrainedModel.of(model)
    for name, function in METHODS.items():
        setattr(model, name, MethodType(function, model))
    # In a closure: as an attribute the twin, which holds the model, would be saved within it.
    twin = functools.cache(lambda: softmax_model(model))
    model.predict = lambda *args, **options: twin().predict(*args, **options)
    return model


def model_from_checkpoint_path(checkpoints_path: str | Path) -> "keras.Model":
    """Return the model, with keras_segmentation's methods, of what `--checkpoints_path` takes."""
    trained = load(checkpoints_path)
    return with_methods(trained.network, trained)


def _make(name: str, n_classes: int, input_height: int | None = None, input_width: int | None = None,
          channels: int = 3, encoder_level: int = 3) -> "keras.Model":
    """encoder_level: of SegNets, which feature map the decoder starts from; of no effect elsewhere, as there."""
    options: dict[str, Any] = {}
    if find(name).decoder == "segnet" and encoder_level != 3:
        options["level"] = encoder_level
    return with_methods(build_model(name, n_classes, input_height, input_width, channels, **options))


# {name: function (n_classes, input_height=None, input_width=None, channels=3) -> model with fresh weights}
model_from_name = {name: functools.partial(_make, name) for name in names()}
