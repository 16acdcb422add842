"""Where the commands on a data set take their pairs from."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.cli.data_flags import Labelled, folders_of, warn_of_left_out
from segnet_hpu.config import option
from segnet_hpu.constants import MAX_CLASSES, ONE_AND_BACKGROUND, void_ids
from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.data.datasets.selection import number_of_classes
from segnet_hpu.data.file_pairs import pair_paths

if TYPE_CHECKING:
    from segnet_hpu.data.source import DataSetSource


def parse_split(value: object) -> str:
    """names of letters, digits, _ and -, such as train or train,val"""
    if not re.fullmatch(r"[\w-]+(,[\w-]+)*", str(value)):
        raise ValueError("a split is the name of a folder or list")
    return str(value)


@dataclass(kw_only=True)
class Inputs(Labelled):
    """Two folders or a data set by name, and what is void in the labels besides 255."""

    split: str = option("train", "part of the data set; with folders, what it is called in --out",
                       parse=parse_split)
    n_classes: int | None = option(None, "number of classes: other ids than 0..n_classes-1 are refused, as by "
                                   "verify_dataset; of folders any are taken if not set", minimum=2,
                                   maximum=MAX_CLASSES, example=ONE_AND_BACKGROUND)
    ignore_label: int | None = option(None, "id that marks pixels to leave out, besides 255", minimum=0, maximum=255)

    @property
    def n_classes_flag(self) -> str:
        """What a command that is advised must be told of the classes of folders."""
        return f"--n_classes {self.n_classes or 'N'}"


def count_of_classes(settings: Inputs) -> int | None:
    """Return the number of classes, the data set's or the one that is given; None where neither says it.

    Raises UsageError where they differ.
    """
    dataset = find(settings.dataset) if settings.dataset else None
    has_classes = dataset is not None and dataset.n_classes is not None
    return number_of_classes(dataset, settings.n_classes) if dataset and has_classes else settings.n_classes


def open_pairs(settings: Inputs, split: str) -> "DataSetSource":
    """Return the checked DataSetSource of a split: labels of training ids, 255 void. Raises UsageError."""
    n_classes = count_of_classes(settings)
    if settings.dataset:
        source = open_dataset(settings.dataset, settings.data_root, split).ignoring(settings.ignore_label)
        warn_of_left_out(settings, split, source.pairs)
        source = source.reading(settings.image_coding)
        return source.checked(n_classes)
    from segnet_hpu.data.label_check import LabelCheck
    from segnet_hpu.data.source import DataSetSource

    source = DataSetSource(find("folder"), pair_paths(*folders_of(settings))).ignoring(settings.ignore_label)
    if n_classes is None:
        from segnet_hpu.data.inspection.cure import refuse_values_of_no_ids

        refuse_values_of_no_ids(source.pairs)
    # Here 255 is checked as verify_dataset does: with no id to ignore a mask of 0 and 255 is hardly meant so.
    source.label_check = LabelCheck(n_classes, void_ids(settings.ignore_label))
    warn_of_left_out(settings, split, source.pairs)
    return source.reading(settings.image_coding)
