"""`visualize_dataset`: images, labels and both together on one sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.cli.data_flags import Labelled, dataset_of, open_labelled
from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import option
from segnet_hpu.constants import MAX_CLASSES, ONE_AND_BACKGROUND
from segnet_hpu.data.augmentation import refuse_unused_augmentation, with_function
from segnet_hpu.data.classes import PALETTES, class_names, palette, parse_palette, split_names
from segnet_hpu.data.datasets.selection import number_of_classes
from segnet_hpu.errors import UsageError
from segnet_hpu.files import write_image
from segnet_hpu.signature import PICTURE

if TYPE_CHECKING:
    import numpy as np

    from segnet_hpu.data.source import PairSource

CELL_WIDTH = 480


@dataclass(kw_only=True)
class Settings(Outputs, Labelled):
    """Draw image, label and overlay of some pairs, with a legend, into one picture file."""

    n_classes: int | None = option(None, "number of classes; ids are 0..n_classes-1; a data set brings its own",
                                   minimum=2, maximum=MAX_CLASSES, example=ONE_AND_BACKGROUND)
    do_augment: bool = option(False, "draw the pairs as training sees them, augmented")
    augmentation_name: str = option("standard", "how, as in train: PRESET or PRESET,field=value,..., or MODULE:NAME, "
                                    "a function (image, mask) -> (image, mask) of your own")
    out: str = option("grid.png", "picture file to write (.png or .jpg)")
    n: int = option(8, "how many pairs to draw", minimum=1)
    seed: int = option(0, "which pairs are drawn, and how they are augmented", minimum=0)
    palette: str | None = option(None, f"colours of a known data set: {', '.join(PALETTES)}; or rrggbb,rrggbb,...",
                                 parse=parse_palette)
    class_names: str | None = option(None, "names for the legend: a,b,c")
    ignore_label: int | None = option(None, "id that marks pixels to leave out", minimum=0, maximum=255)


def run(settings: Settings) -> None:
    if not settings.out.lower().endswith((".png", ".jpg", ".jpeg")):
        raise UsageError(f"--out {settings.out}: expected a name that ends in .png or .jpg")
    refuse_unused_augmentation(settings)
    names, colours = _appearance(settings)

    import numpy as np

    from segnet_hpu.inference import render

    source = open_labelled(settings).checked(len(names), settings.ignore_label)
    settings.check_output("out", PICTURE, {path for pair in source.pairs for path in pair})
    drawn = sorted(np.random.default_rng(settings.seed).permutation(len(source))[:settings.n].tolist())
    _check_labels(source)
    rows, captions = [], []
    present: set[int] = set()
    for i in drawn:
        image, label = _pair(source, i, settings)
        present |= set(np.unique(label).tolist())
        rows.append([image, render.colour_mask(label, colours), render.overlay(image, label, colours)])
        captions.append([source.name(i), "label", "overlay"])
    source.warn_of_images()
    sheet = render.with_legend(render.grid(rows, captions), names, colours, present)
    write_image(settings.out, sheet)
    print(settings.out)


def _check_labels(source: "PairSource") -> None:
    """Raise UsageError for the labels that verify_dataset refuses, whether they are drawn or not."""
    from segnet_hpu.data.prefetch import CORES, prefetched
    from segnet_hpu.progress import progress

    for _ in progress(prefetched(source.label, range(len(source)), CORES, 2 * CORES), len(source), "checked"):
        pass
    source.refuse_faulty_set()


def _appearance(settings: Settings) -> "tuple[Sequence[str], np.ndarray]":
    """Return the names and colours of the classes: flags first, then what the data set brings."""
    dataset, colours = dataset_of(settings, ["n_classes"]), settings.palette
    n_classes = settings.n_classes or 0
    names: Sequence[str] | None = None
    if dataset:
        n_classes, colours = number_of_classes(dataset, settings.n_classes), colours or dataset.palette
        names = dataset.class_names
    if settings.class_names:
        names = split_names(settings.class_names, n_classes)
    return names or class_names(colours, n_classes), palette(colours, n_classes)


def _pair(source: "PairSource", i: int, settings: Settings) -> "tuple[np.ndarray, np.ndarray]":
    """Image and label of a pair, no wider than a cell, ignored pixels 255, augmented if asked for."""
    import numpy as np

    from segnet_hpu.data.geometry import resize

    image, label = source[i]
    height, width = label.shape
    if width > CELL_WIDTH:
        height, width = max(1, round(height * CELL_WIDTH / width)), CELL_WIDTH
    if settings.do_augment:
        from segnet_hpu.data.preprocessing import TrainTransform

        augmentation, custom = with_function(settings.augmentation_name)
        transform = TrainTransform((height, width), (height, width), augmentation, settings.ignore_label, custom,
                                   n_classes=settings.n_classes)
        return transform(image, label, np.random.default_rng([settings.seed, i]))
    if label.shape != (height, width):
        image, label = resize(image, label, (height, width), (height, width))
    if settings.ignore_label is not None:
        label = np.where(label == settings.ignore_label, np.uint8(255), label)
    return image, label
