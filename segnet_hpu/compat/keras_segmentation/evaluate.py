"""keras_segmentation's `evaluate`, over our evaluation."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from segnet_hpu.compat.keras_segmentation.arrays import Picture, read_rgb
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.compat.keras_segmentation.predict import refuse_missing, trained_model
from segnet_hpu.constants import VOID, void_ids
from segnet_hpu.data.images import blue_channel
from segnet_hpu.data.label_check import LabelCheck
from segnet_hpu.data.labels import of_8_bits, read_label_values
from segnet_hpu.data.source import FolderSource, Sample, wrong_size
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.evaluate import LabelledSource
from segnet_hpu.evaluation.evaluate import evaluate as scorecard_of
from segnet_hpu.evaluation.tables import warn_of_never_predicted
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

    def __init__(self, images: Sequence[Picture], labels: Sequence[Picture], inputs: Inputs,
                 label_check: LabelCheck) -> None:
        self.images, self.labels, self.inputs, self.label_check = images, labels, inputs, label_check

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> Sample:
        """Return (image uint8 (H, W, C) RGB, label uint8 (H, W)); raises UsageError if they do not fit."""
        names = [f"{what}[{i}]" if isinstance(item, np.ndarray) else str(item)
                 for what, item in (("inp_images", self.images[i]), ("annotations", self.labels[i]))]
        image = read_rgb(self.images[i], self.inputs.read_image_type, self.inputs.coding)
        label = _read_label(self.labels[i], names[1], self.label_check)
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
    left out, and 255 with it; the checkpoint's own if not set. class_wise_IU is float64 (n_classes,), nan for classes
    that no label holds; they do not count in the mean. Negative ids in arrays are void. Raises UsageError for what
    cannot be read or does not fit, and for labels that verify_dataset refuses.
    """
    trained = trained_model(model, checkpoints_path)
    inputs = Inputs(read_image_type=read_image_type, coding=trained.input_coding.files)
    inputs.refuse_other_channels(trained.network, "evaluate")
    ignore = trained.ignore_label if ignore_label is None else ignore_label
    check = LabelCheck(trained.n_classes, void_ids(ignore))
    source = _source(inp_images, annotations, inp_images_dir, annotations_dir, inputs, check)
    card = scorecard_of(Predictor(trained, batch_size=2), source, trained.n_classes, ignore)
    check.finish(trained.class_names)
    warn_of_never_predicted(card.matrix, trained.appearance().names)
    scores = card.scores()
    return {"frequency_weighted_IU": scores["frequency_weighted_iou"], "mean_IU": scores["mean_iou"],
            "class_wise_IU": np.array([row["iou"] for row in scores["per_class"]], float)}


def _source(images: Sequence[Picture] | None, labels: Sequence[Picture] | None, images_dir: StrPath | None,
            labels_dir: StrPath | None, inputs: Inputs, check: LabelCheck) -> LabelledSource:
    if images is None:
        refuse_missing(inp_images_dir=images_dir, annotations_dir=labels_dir)
        assert images_dir is not None and labels_dir is not None
        folders = FolderSource(images_dir, labels_dir).reading(inputs.coding)
        folders.label_check = check
        return inputs.read(folders)
    counts = len(images), 0 if labels is None else len(labels)
    if labels is None or counts[0] != counts[1]:
        raise UsageError(f"{counts[0]} images and {counts[1]} annotations; expected as many")
    return InputPairs(images, labels, inputs, check)


def _read_label(annotation: Picture, name: str, check: LabelCheck) -> np.ndarray:
    """The label, uint8 (H, W), of a path or an array, in which negative ids are void; both are checked."""
    if not isinstance(annotation, np.ndarray):
        ids = read_label_values(annotation)
        check.check(name, ids)
        return of_8_bits(name, ids)
    ids = blue_channel(annotation)
    whole = ids.astype(np.int64)
    if not np.array_equal(whole, ids):
        raise UsageError(f"{name} is a {ids.dtype} array with values that are not whole; expected class ids")
    ids = whole
    check.check(name, ids[ids >= 0])
    return of_8_bits(name, np.where(ids < 0, VOID, ids))
