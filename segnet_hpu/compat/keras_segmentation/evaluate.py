"""keras_segmentation's `evaluate`, over our evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from segnet_hpu.compat.keras_segmentation.arrays import Picture, read_rgb
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.compat.keras_segmentation.predict import refuse_missing, trained_model
from segnet_hpu.constants import VOID
from segnet_hpu.data.images import blue_channel, read_label
from segnet_hpu.data.source import FolderSource, Sample, wrong_size
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.evaluate import LabelledSource
from segnet_hpu.evaluation.evaluate import evaluate as scorecard_of
from segnet_hpu.files import StrPath
from segnet_hpu.inference.predictor import Predictor

if TYPE_CHECKING:
    import keras


class Scores(TypedDict):
    """What `evaluate` returns."""

    frequency_weighted_IU: float | None  # without labels
    mean_IU: float | None
    class_wise_IU: np.ndarray


class InputPairs:
    """A source of pictures and labels, each a path or an array."""

    def __init__(self, images: Sequence[Picture], labels: Sequence[Picture], inputs: Inputs) -> None:
        self.images, self.labels, self.inputs = images, labels, inputs

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Sample:
        """Return (image uint8 (H, W, C) RGB, label uint8 (H, W)); raises UsageError if they do not fit."""
        image, label = read_rgb(self.images[i], self.inputs.read_image_type), _read_label(self.labels[i])
        names = [f"{what}[{i}]" if isinstance(item, np.ndarray) else item
                 for what, item in (("inp_images", self.images[i]), ("annotations", self.labels[i]))]
        channels = self.inputs.channels
        if image.shape[2] != channels:
            raise UsageError(f"{names[0]} has {image.shape[2]} channels; expected {channels}, "
                             f"{'grey' if channels == 1 else 'BGR'}")
        if image.shape[:2] != label.shape:
            raise wrong_size(names[1], label, names[0], image)
        return Sample(image, label)


def evaluate(model: "keras.Model | None" = None, inp_images: Sequence[Picture] | None = None,
             annotations: Sequence[Picture] | None = None, inp_images_dir: StrPath | None = None,
             annotations_dir: StrPath | None = None, checkpoints_path: str | Path | None = None,
             read_image_type: int = 1, *, ignore_label: int | None = None) -> Scores:
    """Return {"frequency_weighted_IU", "mean_IU", "class_wise_IU"} at the labels' own size.

    inp_images, annotations: lists of paths, or of arrays, BGR (H, W, 3) and class ids (H, W), which may also be the
    first of three channels; or two folders. read_image_type: 1 reads in colour, 0 in grey. ignore_label: an id
    left out beside 255; the checkpoint's own if not set. class_wise_IU is float64 (n_classes,), nan for classes
    that no label holds; they do not count in the mean. Raises UsageError for what cannot be read or does not fit.
    """
    trained = trained_model(model, checkpoints_path)
    inputs = Inputs(read_image_type=read_image_type)
    inputs.refuse_other_channels(trained.network, "evaluate")
    source = _source(inp_images, annotations, inp_images_dir, annotations_dir, inputs)
    ignore = trained.ignore_label if ignore_label is None else ignore_label
    scores = scorecard_of(Predictor(trained, batch_size=2), source, trained.n_classes, ignore).scores()
    return {"frequency_weighted_IU": scores["frequency_weighted_iou"], "mean_IU": scores["mean_iou"],
            "class_wise_IU": np.array([row["iou"] for row in scores["per_class"]], float)}


def _source(images: Sequence[Picture] | None, labels: Sequence[Picture] | None, images_dir: StrPath | None,
            labels_dir: StrPath | None, inputs: Inputs) -> LabelledSource:
    if images is None:
        refuse_missing(inp_images_dir=images_dir, annotations_dir=labels_dir)
        assert images_dir is not None and labels_dir is not None
        return inputs.read(FolderSource(images_dir, labels_dir))
    counts = len(images), 0 if labels is None else len(labels)
    if labels is None or counts[0] != counts[1]:
        raise UsageError(f"{counts[0]} images and {counts[1]} annotations; expected as many")
    return InputPairs(images, labels, inputs)


def _read_label(annotation: Picture) -> np.ndarray:
    """The label, uint8 (H, W), of a path or an array; ids that uint8 does not hold are void."""
    if not isinstance(annotation, np.ndarray):
        return read_label(annotation)
    ids = blue_channel(annotation)
    return np.where((ids >= 0) & (ids <= 255), ids, VOID).astype(np.uint8)
