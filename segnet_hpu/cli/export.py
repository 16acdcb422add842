"""`segnet-hpu export`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.components import Choice
from segnet_hpu.config import REQUIRED, component, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.data.image_coding import ImageSettings
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.export import place
from segnet_hpu.interchange.export.formats import FORMATS, OUTPUTS, ExportFormat, make_format
from segnet_hpu.runtime.device import BackendSettings, select_device

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.models.trained_model import TrainedModel

CALIBRATED, VERIFIED = 100, 50  # pictures of a folder that are used, at most
CALIBRATED_FORMATS = " or ".join(name for name, one in FORMATS.components().items() if one.target.calibrated)


@dataclass(kw_only=True)
class Settings(BackendSettings, ImageSettings):
    """Write a trained model in a format that runs without this package; raw RGB pictures, 0..255, go in."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    format: Choice = component(FORMATS, REQUIRED, "what to write")
    out: str = option(REQUIRED, "file to write; for saved_model a folder")
    output: str | None = option(None, "what the file answers; logits if not set", choices=OUTPUTS)
    argmax: bool = option(False, "class ids, at the size of the input: the same as --output classes")
    free_size: bool = option(False, "take pictures of any size, where the network can")
    calibration_images: str | None = option(
        None, f"folder of training images for {CALIBRATED_FORMATS}, {CALIBRATED} are used")
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    palette: str | None = option(None, "colours of a known data set; the model's own if not set",
                                 choices=tuple(PALETTES))
    overwrite: bool = option(False, "replace what is at --out")
    verify: bool = option(False, "run the file beside Keras and compare; exit status 1 where they disagree")
    verify_images: str | None = option(None, f"folder of pictures for --verify, {VERIFIED} are used; "
                                       "drawn street scenes if not set")


def run(settings: Settings) -> None:
    export_format = make_format(settings.format)
    output = _check(settings, export_format)
    from segnet_hpu.inference.pictures import drawn_pictures, read_pictures, spread_pictures
    from segnet_hpu.interchange.load import find_checkpoint

    path = find_checkpoint(settings.checkpoints_path)
    verified = spread_pictures(settings.verify_images, VERIFIED) if settings.verify_images else None
    training = spread_pictures(settings.calibration_images, CALIBRATED) if settings.calibration_images else ()
    from segnet_hpu.inference.predictor import input_transform
    from segnet_hpu.interchange.export import labels, network
    from segnet_hpu.interchange.export.serving import Serving
    from segnet_hpu.interchange.load import load

    select_device("cpu", backend=settings.backend)
    trained = load(path)
    model, appearance = trained.network, trained.appearance(settings.class_names, settings.palette)
    serving = Serving.of(model, output, settings.free_size)
    coding = settings.image_coding.over(trained.input_coding.files)
    calibration = list(map(input_transform(trained), read_pictures(training, coding)))
    text = labels.describe(serving, export_format, appearance, trained.ignore_label, trained.input_coding)
    place.write(settings.out, export_format, serving, text, calibration)
    print(f"{settings.out}: {model.name} as {export_format.name}, {output}, {_megabytes(settings.out):.1f} MB; "
          f"names and colours in {export_format.labels_path(settings.out)}")
    if not network.in_float32(model):
        print("the model was trained in mixed precision; the file holds and computes float32")
        trained = replace(trained, network=network.twin(model))
    if settings.verify:
        images = read_pictures(verified, coding) if verified else drawn_pictures()
        _verify(settings, export_format, trained, output, images)


def _check(settings: Settings, export_format: ExportFormat) -> str:
    """Refuse what cannot be done; return the output's name."""
    output = settings.output or ("classes" if settings.argmax else "logits")
    if settings.argmax and output != "classes":
        raise UsageError(f"--argmax and --output {output} contradict each other; leave one of them out")
    if settings.free_size and not export_format.frees_size:
        made = "calibrated" if export_format.calibrated else "made"
        raise UsageError(f"--free_size: --format {settings.format} is {made} for one size; leave it out")
    if export_format.calibrated and not settings.calibration_images:
        raise UsageError(f"--format {settings.format} is calibrated on training images; expected "
                         "--calibration_images")
    if settings.calibration_images and not export_format.calibrated:
        raise UsageError(f"--calibration_images is for --format {CALIBRATED_FORMATS}, not {settings.format}; "
                         "leave it out")
    if settings.verify_images and not settings.verify:
        raise UsageError("--verify_images is given without --verify; add --verify")
    export_format.refuse_missing_packages(settings.verify)
    place.refuse_place(settings.out, export_format, settings.overwrite)
    return output


def _verify(settings: Settings, export_format: ExportFormat, trained: "TrainedModel", output: str,
            images: Iterable["np.ndarray"]) -> None:
    from segnet_hpu.evaluation.agreement import compare
    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.runtime.processor import usable_cores

    runner = export_format.load(Path(settings.out), usable_cores())
    agreement = compare(Predictor(trained), runner, output, images)
    print(agreement)
    if agreement.equal < export_format.agreement:
        raise RunError(f"{settings.out} disagrees with {settings.checkpoints_path} in "
                       f"{100 * (1 - agreement.equal):.3f} % of the pixels; expected at most "
                       f"{100 * (1 - export_format.agreement):.1f} %. Train longer, calibrate on more images or "
                       "choose another --format")


def _megabytes(path: str) -> float:
    return sum(p.stat().st_size for p in [Path(path), *Path(path).rglob("*")] if p.is_file()) / 1e6
