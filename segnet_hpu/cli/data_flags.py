"""What commands on labelled pictures have in common: two folders, or a data set by name."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.config import option
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import NAMES, find, open_dataset, root_of
from segnet_hpu.data.datasets.selection import dataset_of_settings
from segnet_hpu.data.image_coding import ImageSettings
from segnet_hpu.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from segnet_hpu.data.file_pairs import Pair
    from segnet_hpu.data.source import PairSource
    from segnet_hpu.models.trained_model import TrainedModel

FOLDERS = ("images_path", "segs_path")


@dataclass(kw_only=True)
class Labelled(ImageSettings):
    """Where the images and labels are."""

    images_path: str | None = option(None, "folder of images (.jpg .png .bmp .tif .webp)")
    segs_path: str | None = option(None, "folder of labels (.png .bmp .tif .webp), named as their images")
    dataset: str | None = option(None, f"data set by name, in place of the folders: {', '.join(NAMES)}, a .yaml file "
                                 "that describes one, or MODULE:NAME")
    data_root: str | None = option(None, "folder where the data set lies as published")
    split: str = option("val", "part of the data set")


def dataset_of(settings: Labelled, needed: Iterable[str] = (), splits: Iterable[str] = ("split",)) -> DataSet | None:
    """Return the DataSet, or None for the folders; raises UsageError for both and for neither.

    needed: further settings that only a data set makes superfluous. splits: see `dataset_of_settings`.
    """
    return dataset_of_settings(settings, FOLDERS, (*FOLDERS, *needed), splits)


def folders_of(settings: Labelled) -> tuple[str, str]:
    """Return the folders of images and labels, which are both set where `dataset_of` returned None."""
    return settings.images_path or "", settings.segs_path or ""


def open_labelled(settings: Labelled) -> "PairSource":
    """Return the source of the images and labels that the settings mean."""
    if settings.dataset:
        source: PairSource = open_dataset(settings.dataset, settings.data_root, settings.split)
    else:
        from segnet_hpu.data.source import FolderSource

        source = FolderSource(*folders_of(settings))
    warn_of_left_out(settings, settings.split, source.pairs)
    return source.reading(settings.image_coding)


def warn_of_left_out(settings: Labelled, split: str, pairs: "Sequence[Pair]") -> None:
    """Warn of pictures that lie where those of the pairs, which were opened by the settings, lie and are not read."""
    from segnet_hpu.data.left_out import tell_left_out_of_folders, tell_left_out_of_split

    if settings.dataset:
        dataset = find(settings.dataset)
        tell_left_out_of_split(dataset, root_of(dataset, settings.data_root), split)
    else:
        tell_left_out_of_folders(*folders_of(settings), pairs)


def names_for(dataset: DataSet | None, trained: "TrainedModel", path: "Path", class_names: str | None) -> str | None:
    """Return the class names that a model, of the file `path`, is to be shown with; None for its own.

    class_names: what the user gives. Raises UsageError where an id does not mean the same to model and data set.
    """
    if dataset is None:
        return class_names
    if dataset.n_classes not in (None, trained.n_classes):
        raise UsageError(f"{path} has {trained.n_classes} classes, --dataset {dataset.name} {dataset.n_classes}; "
                         "expected a model of these classes")
    expected = dataset.class_names or ()
    names = class_names.split(",") if class_names else trained.class_names or expected
    for i, (name, other) in enumerate(zip(names, expected, strict=False)):
        if name.strip() != other:
            raise UsageError(f"{path} has class {i} {name}, --dataset {dataset.name} {other}; expected the same "
                             "classes in the same order. Where they are, give --class_names "
                             + shlex.quote(",".join(expected)))
    return class_names or (None if trained.class_names else ",".join(expected) or None)
