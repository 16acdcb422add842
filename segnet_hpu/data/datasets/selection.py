"""Which data a command works on: folders, or a data set by name."""

from segnet_hpu.config import is_default
from segnet_hpu.data.datasets.registry import find
from segnet_hpu.errors import UsageError


def chosen_dataset(settings, folders, needed, splits):
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
    given = [f"--{name}" for name in folders if getattr(settings, name) is not None]
    if given:
        raise UsageError(f"{given[0]} does not go with --dataset {settings.dataset}, which has its own files; "
                         "give one of them")
    return find(settings.dataset)


def agreed_classes(dataset, n_classes):
    """Return the number of classes: the data set's, or n_classes where it has none of its own. Raises UsageError."""
    if dataset.n_classes is None and n_classes is None:
        raise UsageError(f"--dataset {dataset.name} needs --n_classes")
    if dataset.n_classes is not None and n_classes not in (None, dataset.n_classes):
        raise UsageError(f"--n_classes is {n_classes}; {dataset.name} has {dataset.n_classes} classes. Leave it out")
    return dataset.n_classes or n_classes
