"""`segnet-hpu demo`: what a model makes of a folder, to look at."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segnet_hpu.cli.data_flags import FOLDERS, Labelled, names_for, open_labelled
from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.data.datasets.selection import dataset_of_settings
from segnet_hpu.data.file_pairs import IMAGE_FORMATS
from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_unwritable, write_image
from segnet_hpu.runtime.device import DeviceSettings, select_device
from segnet_hpu.signature import PAGE, PICTURE, kind_of

if TYPE_CHECKING:
    from segnet_hpu.data.source import PairSource
    from segnet_hpu.inference.pictures import PictureFolder
    from segnet_hpu.models.trained_model import TrainedModel


@dataclass(kw_only=True)
class Settings(DeviceSettings, Outputs, Labelled):
    """Draw a contact sheet and an HTML page of image, truth, prediction and error for a folder of pictures."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    images_path: str | None = option(None, "folder of images; needed without --dataset")
    segs_path: str | None = option(None, "folder of their labels; without it only image and prediction are shown")
    out: str = option(REQUIRED, "folder for sheet.png and report.html")
    n: int = option(6, "worst pictures on the page, and as many best ones", minimum=1)
    rows: int = option(16, "pictures on the sheet, spread evenly over the folder", minimum=1, maximum=100)
    ignore_label: int | None = option(None, "label id left out, and 255 with it; the model's own if not set",
                                      minimum=0, maximum=255)
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    palette: str | None = option(None, "colours of a known data set; the model's own if not set",
                                 choices=tuple(PALETTES))
    batch_size: int = option(2, "images a forward pass", minimum=1)


def run(settings: Settings) -> None:
    refuse_unwritable("--out", settings.out, folder=True)
    for flag in ("images_path", "segs_path"):
        folder = getattr(settings, flag)
        if folder and os.path.realpath(folder) == os.path.realpath(settings.out):
            raise UsageError(f"--out {settings.out} is the folder of --{flag}; choose another")
    if os.path.exists(os.path.join(settings.out, "config.yaml")):
        raise UsageError(f"--out {settings.out} is the folder of a run, which has a report.html of its own; choose "
                         "another")
    dataset = dataset_of_settings(settings, FOLDERS, ("images_path",), ("split",))
    from segnet_hpu.data.source import PairSource
    from segnet_hpu.interchange.load import find_checkpoint

    source = _open(settings)
    path = find_checkpoint(settings.checkpoints_path)
    read = {file for pair in source.pairs for file in pair} if isinstance(source, PairSource) else set(source.paths)
    settings.check_replaced("out", _written(settings), (PICTURE, PAGE), read)
    _refuse_mixing(settings.out, read)
    from segnet_hpu.interchange.load import load

    select_device(settings.train_engine, backend=settings.backend)
    trained = load(path)
    ignore = trained.ignore_label if settings.ignore_label is None else settings.ignore_label
    source.coding = source.coding.over(trained.input_coding.files)
    if isinstance(source, PairSource):
        source = source.checked(trained.n_classes, ignore)
    _show(settings, source, path, trained, ignore, names_for(dataset, trained, path, settings.class_names))


def _open(settings: Settings) -> "PairSource | PictureFolder":
    """Return the labelled pictures, or those of the folder alone; told of what is left out."""
    if settings.dataset or settings.segs_path is not None:
        return open_labelled(settings)
    from segnet_hpu.data.left_out import tell_left_out
    from segnet_hpu.inference.pictures import PictureFolder

    folder = settings.images_path or ""
    source = PictureFolder(folder, settings.image_coding, leave=settings.out)
    tell_left_out(folder, set(source.paths), leave=settings.out)
    return source


def _refuse_mixing(out: str, read: Collection[str]) -> None:
    """Raise UsageError where the sheet would lie among pictures that are read, or that this package did not write."""
    real = set(map(os.path.realpath, read))
    for name in sorted(os.listdir(out)) if os.path.isdir(out) else ():
        path = os.path.join(out, name)
        if os.path.splitext(name)[1].lower() in IMAGE_FORMATS and os.path.isfile(path) and (
                os.path.realpath(path) in real or kind_of(path) is None):
            raise UsageError(f"--out {out} holds pictures of yours, such as {name}, with which the sheet would mix; "
                             "choose another folder")


def _place(settings: Settings) -> str:
    """What the pictures are called on the page."""
    return f"{settings.dataset} {settings.split}" if settings.dataset else os.path.basename(
        os.path.abspath(settings.images_path or ""))


def _written(settings: Settings) -> list[str]:
    """The files that it writes."""
    return [os.path.join(settings.out, name) for name in ("sheet.png", "report.html")]


def _show(settings: Settings, source: Any, path: Path, trained: "TrainedModel", ignore: int | None,
          names: str | None) -> None:
    """Look at all pictures once, then again at those that are shown."""
    from segnet_hpu.evaluation.picture_results import Summary, picture_results
    from segnet_hpu.evaluation.tables import named_scores, score_table, warn_of_never_predicted
    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.inference.report.examples import Section
    from segnet_hpu.inference.report.page import write_page
    from segnet_hpu.inference.sheet import contact_sheet

    appearance = trained.appearance(names, settings.palette)
    model, n_classes, count = trained.network, trained.n_classes, len(source)
    look = partial(picture_results, Predictor(trained, settings.batch_size), source, n_classes=n_classes,
                   ignore_label=ignore)
    summary = Summary.of(look(range(count)), n_classes)
    if summary.matrix:
        source.finish_check(appearance.names, trained.label_palette)
    spread = sorted({round(i * (count - 1) / max(settings.rows - 1, 1)) for i in range(settings.rows)})
    sheet, page = _written(settings)
    write_image(sheet, contact_sheet(look(spread, what="sheet"), appearance))
    worst, best = summary.extremes(settings.n)
    if summary.matrix is None:
        sections = [Section("Pictures", "Taken evenly from the folder.", look(spread[:2 * settings.n], what="page"))]
    else:
        sections = [Section("Worst pictures", "Lowest mean IoU over the classes of the picture, the worst first.",
                            look(worst, what="worst")),
                    Section("Best pictures", "Highest mean IoU, the best first.", look(best, what="best"))]
    scores = named_scores(summary.matrix, appearance.names) if summary.matrix else None
    _, height, width, _ = model.input_shape
    write_page(page, f"{model.name} on {_place(settings)}",
               [path.name, f"network {width}×{height}", f"{count} picture{'s' if count > 1 else ''}",
                f"{n_classes} classes"], appearance, sections, scores, summary.matrix, summary.predicted)
    if scores and summary.matrix:
        print(score_table(scores))
        warn_of_never_predicted(summary.matrix, appearance.names)
    print(f"{sheet}, {page}")
