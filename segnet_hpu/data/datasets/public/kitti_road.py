"""KITTI Road as it is published."""

from collections.abc import Iterator
from dataclasses import dataclass

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Classes
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.file_pairs import Pair, held_out

CLASSES = Classes.parse("kitti_road", "background,road", "ff0000 ff00ff")


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
    "kitti_road", CLASSES.names, "kitti_road",
    dict.fromkeys(("train", "val", "trainval"),
                  Split("training/image_2/*_*.png", "training/gt_image_2/*_road_*.png")),
    colours={(255, 0, 255): 1, (255, 0, 0): 0, (0, 0, 0): VOID})
