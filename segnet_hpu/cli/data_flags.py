"""What commands on labelled pictures have in common: two folders, or a data set by name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segnet_hpu.config import option
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import NAMES, find, open_dataset, root_of
from segnet_hpu.data.datasets.selection import dataset_of_settings
from segnet_hpu.data.image_coding import ImageSettings

if TYPE_CHECKING:
    from segnet_hpu.data.file_pairs import Pair
    from segnet_hpu.data.source import PairSource

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
