"""PASCAL VOC and ADE20K."""

from segnet_hpu.constants import VOID
from segnet_hpu.data.classes import CLASS_NAMES
from segnet_hpu.data.datasets.dataset import DataSet, Split

# VOC 2012's folder VOCdevkit/VOC2012; labels are palette indices, their pale outlines 255.
VOC = DataSet(
    "voc", CLASS_NAMES["voc"], "voc",
    {split: Split("JPEGImages/*.jpg", "SegmentationClass/*.png", f"ImageSets/Segmentation/{split}.txt")
     for split in ("train", "val", "trainval")},
    ids={**{i: i for i in range(21)}, 255: VOID})

# SceneParse150, folder ADEChallengeData2016: 1..150 are the classes, 0 is all else.
ADE20K = DataSet(
    "ade20k", CLASS_NAMES["ade20k"], "ade20k",
    {split: Split(f"images/{folder}/*.jpg", f"annotations/{folder}/*.png")
     for split, folder in (("train", "training"), ("val", "validation"))},
    ids={0: VOID, **{i + 1: i for i in range(150)}})
