"""`segnet-hpu import_caffe`."""

import os
from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.constants import ONE_AND_BACKGROUND
from segnet_hpu.data.classes import PALETTES, check_palette, split_names
from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_unwritable
from segnet_hpu.interchange.load import refuse_checkpoint_of_run
from segnet_hpu.models.registry import input_size, names
from segnet_hpu.runtime.device import BackendSettings, select_device


@dataclass(kw_only=True)
class Settings(BackendSettings):
    """Make a model with the weights of a .caffemodel. Caffe is not needed."""

    caffemodel: str = option(REQUIRED, "weights of Caffe, format V1 or V2")
    model: str = option(REQUIRED, "which model they are for", choices=tuple(names()))
    n_classes: int = option(REQUIRED, "number of classes", minimum=2, maximum=255, example=ONE_AND_BACKGROUND)
    out: str = option(REQUIRED, "file to write; .keras")
    input_height: int | None = option(None, "pixels; the model's own if not set", minimum=1)
    input_width: int | None = option(None, "pixels; the model's own if not set", minimum=1)
    class_names: str | None = option(None, "names a,b,c, kept in the file")
    palette: str | None = option(None, "colours of a known data set, kept in the file", choices=tuple(PALETTES))


def run(settings: Settings) -> None:
    _check(settings)
    from segnet_hpu.interchange.caffe.reader import read_caffemodel

    layers = read_caffemodel(settings.caffemodel)
    from segnet_hpu.interchange.caffe.importer import import_weights
    from segnet_hpu.models.build import build_model
    from segnet_hpu.models.normalisation import words
    from segnet_hpu.models.trained_model import TrainedModel

    select_device("cpu", backend=settings.backend)
    model = build_model(settings.model, settings.n_classes, settings.input_height, settings.input_width)
    result = import_weights(model, layers, settings.caffemodel)
    names = settings.class_names and split_names(settings.class_names, settings.n_classes)
    trained = TrainedModel(model, names, settings.palette, imported_from=os.path.basename(settings.caffemodel))
    trained.save(settings.out, "free space or choose another --out")
    print(f"{settings.out}: {settings.model} with {len(result.taken)} layers of {settings.caffemodel}")
    if result.normalisation:
        print(f"pictures are normalised as in the file: {words(result.normalisation)}")
    for found, meaning in ((result.merged, "batch norms that are none in the file, set to change nothing"),
                           (result.unset, "not in the file, left at random"),
                           (result.unused, "not in the model, left out")):
        if found:
            print(f"{meaning}: {', '.join(found)}")


def _check(settings: Settings) -> None:
    input_size(settings.model, settings.input_height, settings.input_width)
    check_palette(settings.palette, settings.n_classes)
    if settings.class_names:
        split_names(settings.class_names, settings.n_classes)
    if not settings.out.endswith(".keras"):
        raise UsageError(f"--out {settings.out}: expected a name that ends in .keras")
    if os.path.exists(settings.out):
        raise UsageError(f"--out {settings.out} exists; choose another name, or remove it")
    refuse_checkpoint_of_run("--out", settings.out)
    refuse_unwritable("--out", settings.out)
