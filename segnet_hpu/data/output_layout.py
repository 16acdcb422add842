"""Names, places and values that a data set's layout has for a pair that is to be written."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.datasets.patterns import fill
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, Pair
from segnet_hpu.errors import UsageError


def require_writable(dataset: DataSet) -> None:
    """Raise UsageError unless every label is a picture of its own whose values `file_values` knows."""
    for split in dataset.files.values():
        if split.labels.endswith(".json"):
            raise UsageError(f"--to {dataset.name}: its labels are polygons in one file, which cannot be made from "
                             "pictures; choose another one")
    if type(dataset).read_label is not DataSet.read_label:
        raise UsageError(f"--to {dataset.name}: it reads labels in a way of its own, read_label, which cannot be "
                         "turned round; choose folder, or describe the layout in a .yaml file")


def relative_paths(files: Split, name: str, original: str) -> Pair:
    """Return the relative paths of image and label of a pair.

    name: the pair's. original: the image's path, whose ending counts where the layout leaves it open;
    "" for PNG.
    """
    images, labels, _ = files
    ending = image_ending(original)
    if "*" not in images:
        return Pair(f"{images}/{name}{ending}", f"{labels}/{name}.png")
    texts = _texts(images, name)
    image, label = fill(images, texts), fill(labels, texts)
    return Pair(image + ending if images.endswith("*") else image, label + ".png" if labels.endswith("*") else label)


def image_ending(path: str) -> str:
    """The ending of an image's file: lower-case, .jpg for .jpeg, .png for one that we do not read."""
    ending = os.path.splitext(path)[1].lower()
    return {".jpeg": ".jpg"}.get(ending, ending if ending in IMAGE_FORMATS else ".png")


def file_values(dataset: DataSet) -> tuple[np.ndarray, np.ndarray]:
    """Return what the data set's label files hold for training ids 0..255, and bool (256,): which ids it has.

    Values are uint8 or uint16 (256,), or uint8 (256, 3) RGB. Of several values of one id the lowest counts.
    """
    coding: Mapping[Any, int] = dataset.colours or dataset.ids or {i: i for i in range(256)}
    inverse = {}
    for value, label in sorted(coding.items(), reverse=True):
        inverse[label] = value
    known = np.isin(np.arange(256), list(inverse))
    values = np.zeros((256, 3) if dataset.colours else 256, np.uint16)
    values[list(inverse)] = list(inverse.values())
    return values.astype(np.uint8) if values.max() <= VOID else values, known


def _texts(images: str, name: str) -> tuple[str, ...]:
    """The texts for a pattern's stars: of a file's name its parts between "_", of a folder the first of them."""
    *folders, file = images.split("/")
    name = name.removesuffix(os.path.splitext(file.rpartition("*")[2])[0])
    count = file.count("*")
    parts = name.split("_", count - 1)
    if len(parts) < count:
        raise UsageError(f"{name} does not fit into {images}; expected a name with {count - 1} _ or more. Rename it")
    return (parts[0].partition("_")[0],) * "/".join(folders).count("*") + tuple(parts)
