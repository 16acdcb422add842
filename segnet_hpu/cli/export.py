"""`segnet-hpu export`."""

from dataclasses import dataclass, replace

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.export.formats import FORMATS, OUTPUTS, refuse_missing_packages

CALIBRATED, VERIFIED = 100, 50  # pictures of a folder that are used, at most


@dataclass(kw_only=True)
class Settings:
    """Write a trained model in a format that runs without this package; raw RGB pictures, 0..255, go in."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    format: str = option(REQUIRED, "what to write", choices=tuple(FORMATS))
    out: str = option(REQUIRED, "file to write; for saved_model a folder")
    output: str | None = option(None, "what the file answers; logits if not set", choices=OUTPUTS)
    argmax: bool = option(False, "class ids, at the size of the input: the same as --output classes")
    free_size: bool = option(False, "take pictures of any size, where the network can")
    calibration_images: str | None = option(None, f"folder of training images for tflite_int8, {CALIBRATED} are used")
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    palette: str | None = option(None, "colours of a known data set; the model's own if not set",
                                 choices=tuple(PALETTES))
    overwrite: bool = option(False, "replace what is at --out")
    verify: bool = option(False, "run the file beside Keras and compare; exit status 1 where they disagree")
    verify_images: str | None = option(None, f"folder of pictures for --verify, {VERIFIED} are used; "
                                       "drawn street scenes if not set")


def run(settings):
    output = _check(settings)
    from segnet_hpu.inference.pictures import drawn_pictures, spread_pictures
    from segnet_hpu.interchange.load import find_checkpoint

    path = find_checkpoint(settings.checkpoints_path)
    verified = spread_pictures(settings.verify_images, VERIFIED) if settings.verify_images else drawn_pictures()
    training = spread_pictures(settings.calibration_images, CALIBRATED) if settings.calibration_images else ()
    from segnet_hpu.inference.predictor import input_transform
    from segnet_hpu.interchange.export import labels, network, place
    from segnet_hpu.interchange.export.serving import Serving
    from segnet_hpu.interchange.load import load
    from segnet_hpu.runtime.device import select_device

    select_device("cpu")
    trained = load(path)
    model, appearance = trained.network, trained.appearance(settings.class_names, settings.palette)
    serving = Serving.of(model, output, settings.free_size)
    calibration = list(map(input_transform(trained), training))
    text = labels.describe(serving, settings.format, appearance, trained.ignore_label,
                           trained.input_coding)
    place.write(settings.out, settings.format, serving, text, calibration)
    print(f"{settings.out}: {model.name} as {settings.format}, {output}, {_megabytes(settings.out):.1f} MB; "
          f"names and colours in {place.labels_path(settings.out, settings.format)}")
    if not network.in_float32(model):
        print("the model was trained in mixed precision; the file holds and computes float32")
        trained = replace(trained, network=network.twin(model))
    if settings.verify:
        _verify(settings, trained, output, verified)


def _check(settings):
    """Refuse what cannot be done; return the output's name."""
    from segnet_hpu.interchange.export.place import refuse_place

    chosen = FORMATS[settings.format]
    output = settings.output or ("classes" if settings.argmax else "logits")
    if settings.argmax and output != "classes":
        raise UsageError(f"--argmax and --output {output} contradict each other; leave one of them out")
    if settings.free_size and not chosen.frees_size:
        raise UsageError(f"--free_size: --format {settings.format} is calibrated for one size; leave it out")
    if chosen.calibrated != bool(settings.calibration_images):
        raise UsageError(f"--format {settings.format} is calibrated on training images; expected --calibration_images"
                         if chosen.calibrated else
                         f"--calibration_images is for --format tflite_int8, not {settings.format}; leave it out")
    if settings.verify_images and not settings.verify:
        raise UsageError("--verify_images is given without --verify; add --verify")
    refuse_missing_packages(settings.format, settings.verify)
    refuse_place(settings.out, settings.format, settings.overwrite)
    return output


def _verify(settings, trained, output, images):
    from segnet_hpu.evaluation.agreement import compare
    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.runtime.processor import usable_cores

    chosen = FORMATS[settings.format]
    runner = chosen.load_module().load(settings.out, usable_cores())
    agreement = compare(Predictor(trained), runner, output, images)
    print(agreement)
    if agreement.equal < chosen.agreement:
        raise RunError(f"{settings.out} disagrees with {settings.checkpoints_path} in "
                       f"{100 * (1 - agreement.equal):.3f} % of the pixels; expected at most "
                       f"{100 * (1 - chosen.agreement):.1f} %. Train longer, calibrate on more images or choose "
                       "another --format")


def _megabytes(path):
    from pathlib import Path

    return sum(p.stat().st_size for p in [Path(path), *Path(path).rglob("*")] if p.is_file()) / 1e6
