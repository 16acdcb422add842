"""keras_segmentation's published networks, downloaded once into Keras' own cache ($KERAS_HOME or ~/.keras)."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.compat.keras_segmentation.models import with_methods
from segnet_hpu.data.download import fetch
from segnet_hpu.interchange.keras_segmentation import make_model

if TYPE_CHECKING:
    import keras

ADDRESS = "https://www.dropbox.com/s/"
RELEASES = "https://github.com/divamgupta/image-segmentation-keras/releases/download/"


def pspnet_50_ADE_20K() -> "keras.Model":
    """Return PSPNet on ResNet-50 for ADE20K: 150 classes, 473x473. Raises RunError if it cannot be had."""
    return _load(ADDRESS + "0uxn14y26jcui4v/pspnet50_ade20k.h5", "pspnet_50", 150, 473, 473)


def pspnet_101_cityscapes() -> "keras.Model":
    """Return PSPNet on ResNet-101 for Cityscapes: 19 classes, 713x713. Raises RunError if it cannot be had."""
    return _load(ADDRESS + "c17g94n946tpalb/pspnet101_cityscapes.h5", "pspnet_101", 19, 713, 713)


def pspnet_101_voc12() -> "keras.Model":
    """Return PSPNet on ResNet-101 for PASCAL VOC: 21 classes, 473x473. Raises RunError if it cannot be had."""
    return _load(ADDRESS + "uvqj2cjo4b9c5wg/pspnet101_voc2012.h5", "pspnet_101", 21, 473, 473)


def resnet_pspnet_VOC12_v0_1() -> "keras.Model":
    """Return pyramid pooling on ResNet-50 for PASCAL VOC: 151 outputs, 384x576. Raises RunError as the others."""
    return _load(RELEASES + "pretrained_model_1/r2_voc12_resnetpspnet_384x576.24", "resnet50_pspnet", 151, 384, 576)


def _load(url: str, name: str, n_classes: int, height: int, width: int) -> "keras.Model":
    """A model with keras_segmentation's methods, from weights at `url`."""
    path = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / url.rsplit("/", 1)[1]
    if not path.exists():
        fetch(f"{url}?dl=1" if url.startswith(ADDRESS) else url, path)
    return with_methods(make_model(path, name, n_classes, height, width))
