"""What commands on labelled pictures have in common: two folders, or a data set by name."""

from dataclasses import dataclass

from segnet_hpu.config import option
from segnet_hpu.data.datasets.registry import NAMES
from segnet_hpu.data.datasets.selection import chosen_dataset

FOLDERS = ("images_path", "segs_path")


@dataclass(kw_only=True)
class Labelled:
    """Where the images and labels are."""

    images_path: str | None = option(None, "folder of images (.jpg .jpeg .png .bmp)")
    segs_path: str | None = option(None, "folder of labels (.png .bmp), named as their images")
    dataset: str | None = option(None, f"data set by name, in place of the folders: {', '.join(NAMES)}, a .yaml file "
                                 "that describes one, or MODULE:NAME")
    data_root: str | None = option(None, "folder where the data set lies as published")
    split: str = option("val", "part of the data set")


def dataset_of(settings, needed=(), splits=("split",)):
    """Return the DataSet, or None for the folders; raises UsageError for both and for neither.

    needed: further settings that only a data set makes superfluous. splits: see `chosen_dataset`.
    """
    return chosen_dataset(settings, FOLDERS, (*FOLDERS, *needed), splits)


def open_labelled(settings):
    """Return the source of the images and labels that the settings mean."""
    if settings.dataset:
        from segnet_hpu.data.datasets import open_dataset

        return open_dataset(settings.dataset, settings.data_root, settings.split)
    from segnet_hpu.data.folder_source import FolderSource

    return FolderSource(settings.images_path, settings.segs_path)
