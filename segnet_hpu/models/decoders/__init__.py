"""Decoders: feature maps in, logits out. Each takes (features, n_classes, **its own options)."""

from segnet_hpu.models.decoders.deeplabv3plus import deeplabv3plus
from segnet_hpu.models.decoders.fcn import fcn
from segnet_hpu.models.decoders.fcn_wide import fcn_wide
from segnet_hpu.models.decoders.pspnet import pspnet
from segnet_hpu.models.decoders.segnet import segnet
from segnet_hpu.models.decoders.unet import unet

DECODERS = {
    "segnet": segnet,
    "unet": unet,
    "fcn_8": fcn,
    "fcn_16": fcn,
    "fcn_32": fcn,
    "fcn_8_wide": fcn_wide,
    "pspnet": pspnet,
    "deeplabv3plus": deeplabv3plus,
}
