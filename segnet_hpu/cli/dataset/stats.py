"""`dataset stats`: what a data set holds, class by class, and the class weights that follow."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.cli.data_flags import dataset_of
from segnet_hpu.cli.dataset.inputs import Inputs, count_of_classes, open_pairs
from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import option
from segnet_hpu.constants import MAX_CLASSES, ONE_AND_BACKGROUND
from segnet_hpu.data.classes import class_names
from segnet_hpu.data.faults import refuse
from segnet_hpu.errors import warn
from segnet_hpu.files import write_text
from segnet_hpu.signature import STATISTICS

if TYPE_CHECKING:
    from segnet_hpu.data.stats import LabelCounts


@dataclass(kw_only=True)
class Settings(Outputs, Inputs):
    """Count each class's pixels and images, sizes and void; print class weights ready for --class_weights."""

    split: str = option("train", "part of the data set")
    n_classes: int | None = option(None, "number of classes; for folders, the highest id and 1 if not set",
                                   minimum=2, maximum=MAX_CLASSES, example=ONE_AND_BACKGROUND)
    count_void: bool = option(False, "void counts as a class in the weights, as in those published with SegNet")
    out: str | None = option(None, "write the numbers to this file too (JSON)")


def run(settings: Settings) -> None:
    """Print the table."""
    origin = dataset_of(settings)
    n_classes = count_of_classes(settings)
    settings.check_output("out", STATISTICS)
    from segnet_hpu.data.stats import count_labels
    from segnet_hpu.data.summary import summary, table
    from segnet_hpu.data.verify import check_source

    source = open_pairs(settings, settings.split)
    refuse(check_source(source))
    counts = count_labels(source, n_classes or MAX_CLASSES, MAX_CLASSES)
    if n_classes is None:
        counts = counts.trimmed()
        _warn_of_ids(counts, settings.ignore_label)
    n_classes = len(counts.pixels) - 1
    names = list(origin.class_names) if origin and origin.class_names else class_names(None, n_classes)
    report = summary(counts, names, settings.count_void)
    if settings.out:
        write_text(settings.out, json.dumps(report, indent=1))
    print(table(report))


def _warn_of_ids(counts: "LabelCounts", ignore_label: int | None) -> None:
    """Warn of what is odd with ids where nobody has said how many classes there are."""
    n_classes, void = len(counts.images) - 1, int(counts.images[-1])
    absent = sum(i != ignore_label and not count for i, count in enumerate(counts.images[:-1].tolist()))
    if absent:
        warn(f"{absent} of the ids 0..{n_classes - 1} occur in no label; --n_classes says how many classes there are")
    if void and ignore_label is None:
        warn(f"255, which {void} labels hold, is taken for void; --ignore_label 255 says so")
