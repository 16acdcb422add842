"""What a run tells people: lines, and pictures of what the network sees."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segnet_hpu.data.images import shown
from segnet_hpu.data.prefetch import batched
from segnet_hpu.evaluation.picture_results import picture_results
from segnet_hpu.files import write_image
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.inference.render import grid, overlay, with_legend
from segnet_hpu.inference.report.examples import Section
from segnet_hpu.inference.report.page import write_page
from segnet_hpu.training.checkpoint import sizes

if TYPE_CHECKING:
    from segnet_hpu.data.appearance import Appearance
    from segnet_hpu.data.source import Source
    from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
    from segnet_hpu.evaluation.scores import Scores
    from segnet_hpu.models.trained_model import TrainedModel
    from segnet_hpu.training.preparation import Plan
    from segnet_hpu.training.state import State

PAGE_PICTURES = 8
WORTH_SAYING = 1.0  # GB of all checkpoints together


def opening_line(plan: Plan, state: State) -> str:
    """One line: what is trained, on what, from where."""
    settings, size = plan.settings, plan.ranks.size
    _, height, width, _ = plan.model.input_shape
    place = f", going on at step {state.step} (epoch {state.epoch + 1})" if state.step else ""
    workers = f" ({settings.batch_size} on each of {size} workers)" if size > 1 else ""
    return (f"{plan.model.name} {height}x{width}, {plan.model.count_params():,} parameters, {settings.data_type} on "
            f"{plan.device.description}: {len(plan.source)} images, {plan.epochs} epochs of "
            f"{plan.steps} steps of {plan.batch_size}{workers}{place}")


def size_line(plan: Plan) -> str | None:
    """One line on what the checkpoints take, or None where that is little."""
    checkpoint, best = (size / 1e9 for size in sizes(plan.model))
    kept = plan.settings.keep_checkpoints
    # One more while it is written, before the oldest goes.
    total = (kept + 1) * checkpoint + best
    if total < WORTH_SAYING:
        return None
    place = plan.folder.prefix.parent
    free = shutil.disk_usage(place).free / 1e9
    return (f"checkpoints take up to {total:.1f} GB in {place}, where {free:.1f} GB are free: {kept} of "
            f"{checkpoint:.1f} GB (--keep_checkpoints), one that is being written, and the best of {best:.1f} GB")


def epoch_line(record: Mapping[str, Any], epochs: int, workers: int = 1) -> str:
    """One line an epoch, the same on a terminal and in a log."""
    text = (f"epoch {record['epoch']}/{epochs}: loss {record['loss']:.4f}, accuracy {record['accuracy']:.4f}, "
            f"{record['images_per_second']:.2f} images/s")
    if workers > 1:
        text += f" ({record['images_per_second'] / workers:.2f} a worker"
        if "communication_share" in record:
            text += f", {record['communication_share']:.1%} of the time in communication"
        text += ")"
    if record.get("val_mean_iou") is not None:
        text += f"; val mean IoU {record['val_mean_iou']:.4f}, pixel accuracy {record['val_pixel_accuracy']:.4f}"
    if "val_loss" in record:
        text += f", loss {record['val_loss']:.4f}"
    for key, name in (("val_boundary_f1", "boundary F1"), ("val_max_f", "MaxF")):
        if record.get(key) is not None:
            text += f", {name} {record[key]:.4f}"
    return text


def closing_line(plan: Plan, state: State) -> str:
    """One line: where the result lies and what to do next."""
    if not state.history:
        return f"stopped by a callback before an epoch came to its end; the run lies in {plan.folder.folder}"
    return (f"best epoch {state.best_epoch} by {plan.validation.monitor.name}; the run lies in {plan.folder.folder}. "
            f"Next: segnet-hpu predict --checkpoints_path {plan.folder.best} --input_path FILE_OR_FOLDER "
            "--output_path OUT --overlay")


def panels(model: TrainedModel, source: Source, appearance: Appearance, count: int,
           batch_size: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, picture): image, truth and prediction side by side, of the first samples."""
    for name, image, label, predicted in _predictions(model, source, count, batch_size):
        row = [image, overlay(image, label, appearance.colours), overlay(image, predicted, appearance.colours)]
        yield name, grid([row], [["image", "truth", "prediction"]])


def write_overlays(folder: Path, model: TrainedModel, source: Source, appearance: Appearance, count: int,
                   batch_size: int) -> None:
    """Write prediction overlays with a legend as FOLDER/NAME.png."""
    for name, image, _, predicted in _predictions(model, source, count, batch_size):
        picture = overlay(image, predicted, appearance.colours)
        write_image(Path(folder) / f"{name}.png", with_legend(picture, appearance.names, appearance.colours))


def write_report(path: Path, plan: Plan, state: State, source: Source, best: TrainedModel, scores: Scores,
                 matrix: ConfusionMatrix) -> None:
    """Write the best model's scores and some validation pictures as one HTML page."""
    settings = plan.settings
    first = range(min(settings.val_pictures, PAGE_PICTURES, len(source)))
    pictures = picture_results(Predictor(best, settings.val_batch_size), source, first, best.n_classes,
                               settings.ignore_label)
    _, height, width, _ = best.network.input_shape
    write_page(path, f"{best.network.name}, epoch {state.best_epoch} of {state.epoch}",
               [f"network {width}×{height}", f"{len(plan.source)} training pictures",
                f"{len(source)} validation pictures", f"{best.n_classes} classes"], plan.appearance,
               [Section("Validation pictures", "The first ones; segnet-hpu demo finds the worst and the best.",
                        pictures)],
               scores, matrix)


def _predictions(model: TrainedModel, source: Source, count: int,
                 batch_size: int) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield (name, image, label, predicted classes) of the first samples."""
    # The batch size of validation, so that no second graph is traced for another shape.
    predictor = Predictor(model, batch_size)
    for batch in batched(range(min(count, len(source))), batch_size):
        samples = [source[i] for i in batch]
        predicted = predictor.predict([image for image, _ in samples])
        for i, (image, label), classes in zip(batch, samples, predicted, strict=True):
            yield source.name(i), shown(image), label, classes
