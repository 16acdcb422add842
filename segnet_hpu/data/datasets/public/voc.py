"""PASCAL VOC 2012, folder VOCdevkit/VOC2012."""

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Classes, voc_colour
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split

CLASSES = Classes.parse(
    "voc",
    "background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,diningtable,dog,horse,"
    "motorbike,person,pottedplant,sheep,sofa,train,tvmonitor",
    tuple(map(voc_colour, range(21))))

# Labels are palette indices, their pale outlines 255.
VOC = DataSet(
    "voc", CLASSES.names, "voc",
    {split: Split("JPEGImages/*.jpg", "SegmentationClass/*.png", f"ImageSets/Segmentation/{split}.txt")
     for split in ("train", "val", "trainval")},
    ids={**{i: i for i in range(21)}, 255: VOID})
