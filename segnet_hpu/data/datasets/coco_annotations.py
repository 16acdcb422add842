"""Labels drawn from COCO's instance annotations."""

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from segnet_hpu.data.datasets import rle
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.source import DataSetSource, LabelReader

FEWEST = 1000  # labelled pixels; an image with as many or fewer is left out
COPY_ANEW = "copy it anew from annotations_trainval2017.zip"
_GAP = re.compile(r"[\s,]*")
_DECODER = json.JSONDecoder()


class Drawing:
    """What is to be drawn for one image. Annotations are kept as text, a fraction of what lists of numbers take."""

    def __init__(self, image: Mapping[str, Any]) -> None:
        self.file_name: str = image["file_name"]
        self.height, self.width = image["height"], image["width"]
        self.shapes: list[tuple[int, bytes]] = []  # class id, annotation
        self.largest = self.total = 0.0  # stated areas, pixels

    def add(self, class_id: int, annotation: Mapping[str, Any], text: str) -> None:
        """Note one more shape to draw; `text` is the annotation as it stands in the file."""
        self.shapes.append((class_id, text.encode()))
        self.largest = max(self.largest, annotation["area"])
        self.total += annotation["area"]

    def label(self, path: str) -> np.ndarray:
        """Return uint8 (H, W): the classes, where shapes overlap that of the first. path: named in errors."""
        label = np.zeros((self.height, self.width), np.uint8)
        for class_id, text in self.shapes:
            try:
                mask = rle.mask(json.loads(text)["segmentation"], self.height, self.width)
                label[(label == 0) & mask] = class_id
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise BadFile(path, f"has no readable mask of {self.file_name} ({error})", COPY_ANEW) from None
        return label

    def is_kept(self, path: str) -> bool:
        """Whether more than FEWEST pixels are labelled. Drawn only where the stated areas leave a doubt."""
        if self.largest > 2 * FEWEST or self.total < FEWEST / 2:
            return self.largest > FEWEST
        return bool(np.count_nonzero(self.label(path)) > FEWEST)


class InstancesSource(DataSetSource):
    """Like DataSetSource; label i is drawn when it is asked for."""

    def __init__(self, dataset: LabelReader, pairs: Sequence[Pair], drawings: Sequence[Drawing]) -> None:
        super().__init__(dataset, pairs)
        self.drawings = drawings

    def read(self, i: int) -> np.ndarray:
        return self.drawings[i].label(self.pairs[i].label)


def read_instances(dataset: LabelReader, root: str, files: Split,
                   categories: Mapping[int, str]) -> tuple[InstancesSource, list[Pair]]:
    """Return (InstancesSource, pairs whose image is missing), in the order of the images' names.

    files: pattern of the images below `root`, and the JSON file there. categories: COCO's ids and names of classes
    1, 2, ...; the others are background. Raises BadFile for a file that is no such annotations, and for one that
    calls these categories otherwise.
    """
    path = os.path.join(root, files.labels)
    folder = os.path.join(root, os.path.dirname(files.images))
    drawings = _read_drawings(path, categories)
    kept = sorted((d for d in drawings if d.shapes and d.is_kept(path)), key=lambda d: d.file_name)
    if not kept:
        raise BadFile(path, f"has no image with more than {FEWEST} pixels of the {len(categories)} classes",
                      COPY_ANEW)
    there = set(os.listdir(folder))

    def pairs(drawings: Sequence[Drawing]) -> list[Pair]:
        return [Pair(os.path.join(folder, d.file_name), path) for d in drawings]

    present = [d for d in kept if d.file_name in there]
    missing = [d for d in kept if d.file_name not in there]
    return InstancesSource(dataset, pairs(present), present), pairs(missing)


def _read_drawings(path: str, categories: Mapping[int, str]) -> list[Drawing]:
    """The drawings of a file's images. categories: ids and names of those that are drawn, as classes 1, 2, ..."""
    classes = {category: i for i, category in enumerate(categories, 1)}
    drawings: dict[int, Drawing] = {}
    annotations_before_images: list[tuple[Mapping[str, Any], str]] = []

    def add_image(image: Mapping[str, Any], _: str) -> None:
        drawings[image["id"]] = Drawing(image)

    def check_category(category: Mapping[str, Any], _: str) -> None:
        name = categories.get(category["id"], category["name"])
        if category["name"] != name:
            raise BadFile(path, f"has categories of its own: {category['id']} is {category['name']}, in COCO {name}",
                          "draw the masks of your own categories as PNG files of class ids, and describe them")

    def add_annotation(annotation: Mapping[str, Any], text: str) -> None:
        if annotation["category_id"] not in classes:
            return
        if annotation["image_id"] in drawings:
            drawings[annotation["image_id"]].add(classes[annotation["category_id"]], annotation, text)
        else:
            annotations_before_images.append((annotation, text))

    try:
        read_lists(path, {"images": add_image, "annotations": add_annotation, "categories": check_category})
        for annotation, text in annotations_before_images:
            drawings[annotation["image_id"]].add(classes[annotation["category_id"]], annotation, text)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(path, f"holds no COCO instances ({type(error).__name__}: {error})", COPY_ANEW) from None
    return list(drawings.values())


def read_lists(path: str, handlers: Mapping[str, Callable[[Any, str], None]]) -> None:
    """Read a JSON object; call handlers[key](element, its text) for each element of its lists of these keys, in turn.

    Parsed as a whole, the 860,000 annotations of 2017 would take several times the memory of the file's text.
    Raises ValueError for what is no such file.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    at = _expect(text, _skip(text, 0), "{")
    while text[at:at + 1] != "}":
        key, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        if key in handlers and text[at:at + 1] == "[":
            at = _skip(text, at + 1)
            while text[at:at + 1] != "]":
                element, end = _DECODER.raw_decode(text, at)
                handlers[key](element, text[at:end])
                at = _skip(text, end)
            at = _skip(text, at + 1)
        else:
            _, at = _DECODER.raw_decode(text, at)
            at = _skip(text, at)


def _skip(text: str, at: int) -> int:
    """The position after spaces and commas."""
    gap = _GAP.match(text, at)
    return gap.end() if gap else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at:at + 1] != mark:
        raise ValueError(f"no {mark} at character {at}")
    return _skip(text, at + 1)
