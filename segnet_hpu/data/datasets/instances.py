"""Labels drawn from COCO's instance annotations."""

import json
import os

import numpy as np

from segnet_hpu.data.datasets import rle
from segnet_hpu.data.datasets.coco import VOC_CATEGORIES
from segnet_hpu.data.datasets.coco_json import read_lists
from segnet_hpu.data.datasets.source import DataSetSource
from segnet_hpu.data.images import BadFile

FEWEST = 1000
COPY_ANEW = "copy it anew from annotations_trainval2017.zip"


class InstancesSource(DataSetSource):
    """Like DataSetSource; label i is drawn when it is asked for."""

    def __init__(self, dataset, pairs, drawings):
        super().__init__(dataset, pairs)
        self.drawings = drawings

    def draw(self, i):
        return self.drawings[i].label(self.pairs[i][1])


class Drawing:
    """What is to be drawn for one image. Annotations are kept as text, a fraction of what lists of numbers take."""

    def __init__(self, image):
        self.file_name, self.size = image["file_name"], (image["height"], image["width"])
        self.shapes, self.largest, self.total = [], 0.0, 0.0

    def add(self, class_id, annotation, text):
        self.shapes.append((class_id, text.encode()))
        self.largest = max(self.largest, annotation["area"])
        self.total += annotation["area"]

    def label(self, path):
        """Return uint8 (H, W): the classes, where shapes overlap that of the first. path: named in errors."""
        label = np.zeros(self.size, np.uint8)
        for class_id, text in self.shapes:
            try:
                label[(label == 0) & rle.mask(json.loads(text)["segmentation"], *self.size)] = class_id
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise BadFile(path, f"has no readable mask of {self.file_name} ({error})", COPY_ANEW) from None
        return label

    def is_kept(self, path):
        """Whether more than FEWEST pixels are labelled. Drawn only where the stated areas leave a doubt."""
        if self.largest > 2 * FEWEST or self.total < FEWEST / 2:
            return self.largest > FEWEST
        return np.count_nonzero(self.label(path)) > FEWEST


def read_instances(dataset, root, images, annotations):
    """Return (InstancesSource, pairs whose image is missing), in the order of the images' names.

    images: pattern of the images below `root`; annotations: the JSON file there. Raises BadFile for a file that is
    no such annotations.
    """
    path = os.path.join(root, annotations)
    folder = os.path.join(root, os.path.dirname(images))
    drawings = {}
    classes = {category: i + 1 for i, category in enumerate(VOC_CATEGORIES)}
    later = []

    def add_image(image, _):
        drawings[image["id"]] = Drawing(image)

    def add_annotation(annotation, text):
        if annotation["category_id"] not in classes:
            return
        if annotation["image_id"] in drawings:
            drawings[annotation["image_id"]].add(classes[annotation["category_id"]], annotation, text)
        else:  # a file may list the annotations before the images
            later.append((annotation, text))

    try:
        read_lists(path, {"images": add_image, "annotations": add_annotation})
        for annotation, text in later:
            drawings[annotation["image_id"]].add(classes[annotation["category_id"]], annotation, text)
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(path, f"holds no COCO instances ({type(error).__name__}: {error})", COPY_ANEW) from None
    kept = sorted((d for d in drawings.values() if d.shapes and d.is_kept(path)), key=lambda d: d.file_name)
    if not kept:
        raise BadFile(path, f"has no image with more than {FEWEST} pixels of the {len(classes)} classes", COPY_ANEW)
    there = set(os.listdir(folder))
    pairs = [(os.path.join(folder, d.file_name), path) for d in kept]
    missing = [pair for pair, d in zip(pairs, kept, strict=True) if d.file_name not in there]
    present = [(pair, d) for pair, d in zip(pairs, kept, strict=True) if d.file_name in there]
    return InstancesSource(dataset, [pair for pair, _ in present], [d for _, d in present]), missing
