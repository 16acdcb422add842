"""Cityscapes, of the published archives leftImg8bit and gtFine."""

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Classes
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split

# The 19 training ids.
CLASSES = Classes.parse(
    "cityscapes",
    "road,sidewalk,building,wall,fence,pole,traffic light,traffic sign,vegetation,terrain,sky,"
    "person,rider,car,truck,bus,train,motorcycle,bicycle",
    "804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 4682b4 dc143c ff0000 00008e "
    "000046 003c64 005064 0000e6 770b20")

# labelIds of the 19 classes, in the order of their training ids; 0..33 otherwise, and -1 written as 255, are void.
# The labels of the test split are not published.
_LABEL_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CITYSCAPES = DataSet(
    "cityscapes", CLASSES.names, "cityscapes",
    {split: Split(f"leftImg8bit/{split}/*/*_leftImg8bit.png", f"gtFine/{split}/*/*_gtFine_labelIds.png")
     for split in ("train", "val")},
    ids={**dict.fromkeys([*range(34), 255], VOID), **{value: i for i, value in enumerate(_LABEL_IDS)}})
