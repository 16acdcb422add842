"""keras_segmentation's path of its published networks."""

from segnet_hpu.compat.keras_segmentation.pretrained import (
    pspnet_50_ADE_20K,
    pspnet_101_cityscapes,
    pspnet_101_voc12,
    resnet_pspnet_VOC12_v0_1,
)

__all__ = ["pspnet_101_cityscapes", "pspnet_101_voc12", "pspnet_50_ADE_20K", "resnet_pspnet_VOC12_v0_1"]
