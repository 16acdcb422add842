"""PASCAL VOC's 21 classes, drawn from the instances of COCO 2017."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.datasets.patterns import fixed_folder
from segnet_hpu.data.datasets.public.voc import CLASSES
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.errors import UsageError

if TYPE_CHECKING:
    from segnet_hpu.data.datasets.coco_annotations import InstancesSource

# COCO's ids and names of PASCAL VOC's classes 1..20, in their order; other categories are background, 0.
VOC_CATEGORIES = {
    5: "airplane", 2: "bicycle", 16: "bird", 9: "boat", 44: "bottle", 6: "bus", 3: "car", 17: "cat", 62: "chair",
    21: "cow", 67: "dining table", 18: "dog", 19: "horse", 4: "motorcycle", 1: "person", 64: "potted plant",
    20: "sheep", 63: "couch", 7: "train", 72: "tv"}


@dataclass(frozen=True)
class Instances(DataSet):
    """PASCAL VOC's 21 classes, drawn from the polygons and run lengths of instances_{train,val}2017.json.

    Where annotations overlap, the first in the file wins. A crowd (run lengths of many objects together)
    is drawn as its class like any other: its pixels are of that class. Images with more than 1,000 labelled
    pixels are kept; of each pair the second path is the annotation file.
    """

    def check_layout(self, root: str, split: str) -> None:
        images, annotations, _ = self.split_files(split)
        self.require_folder(root, fixed_folder(images))
        self.require_file(root, annotations)

    def open(self, root: str, split: str) -> "tuple[InstancesSource, list[Pair]]":
        from segnet_hpu.data.datasets.coco_annotations import read_instances

        self.check_layout(root, split)
        return read_instances(self, root, self.files[split], VOC_CATEGORIES)

    def match(self, root: str, split: str) -> tuple[list[Pair], list[Pair]]:
        source, missing = self.open(root, split)
        return source.pairs, missing

    def read_label(self, path: str) -> NoReturn:
        raise UsageError(f"{path} holds the labels of all images; take source[i] of open_dataset")


INSTANCES = Instances("coco_instances", CLASSES.names, "voc",
                      {split: Split(f"{split}2017/*", f"annotations/instances_{split}2017.json")
                       for split in ("train", "val")})
