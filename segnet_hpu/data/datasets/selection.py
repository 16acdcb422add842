"""Which data a command works on: folders, or a data set by name."""

from collections.abc import Iterable
from typing import Protocol

from segnet_hpu.config import is_default
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import find
from segnet_hpu.errors import UsageError


class DataSettings(Protocol):
    """The settings of a command that works on folders or on a data set."""

    @property
    def dataset(self) -> str | DataSet | None: ...

    @property
    def data_root(self) -> str | None: ...


def dataset_of_settings(settings: DataSettings, folders: Iterable[str], needed: Iterable[str],
                        splits: Iterable[str]) -> DataSet | None:
    """Return the DataSet that settings.dataset names, or None where folders are given.

    folders: names of the settings that do not go with a data set. needed: names of those that are needed
    without one. splits: names of those that say which parts of a data set are meant.
    Raises UsageError for too many of them and for too few.
    """
    if settings.dataset is None:
        missing = [f"--{name}" for name in needed if getattr(settings, name) is None]
        if missing:
            raise UsageError(f"{', '.join(missing)} must be given; or --dataset and --data_root, which stand in for "
                             "folders and classes")
        if settings.data_root is not None:
            raise UsageError("--data_root is the place of a --dataset; give that too, or leave it out")
        for name in splits:
            if not is_default(settings, name):
                raise UsageError(f"--{name} {getattr(settings, name)} is a part of a --dataset; give that, or leave "
                                 f"--{name} out: the folders are used whole")
        return None
    excluded = [f"--{name}" for name in folders if getattr(settings, name) is not None]
    if excluded:
        raise UsageError(f"{excluded[0]} does not go with --dataset {settings.dataset}, which has its own files; "
                         "give one of them")
    return find(settings.dataset)


def number_of_classes(dataset: DataSet, n_classes: int | None) -> int:
    """Return the number of classes: the data set's, or n_classes where it has none of its own. Raises UsageError."""
    count = dataset.n_classes or n_classes
    if count is None:
        raise UsageError(f"--dataset {dataset.name} needs --n_classes")
    if dataset.n_classes is not None and n_classes not in (None, dataset.n_classes):
        raise UsageError(f"--n_classes is {n_classes}; {dataset.name} has {dataset.n_classes} classes. Leave it out")
    return count
