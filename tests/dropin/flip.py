"""A stand-in for imgaug, which does not work with today's NumPy: its protocol, and a flip that is always done."""

import sys
import types

import numpy as np


class SegmentationMapsOnImage:
    """A label that is changed together with its image."""

    def __init__(self, mask: np.ndarray, shape: tuple[int, ...]) -> None:
        assert shape[:2] == mask.shape
        self.mask = mask

    def get_arr(self) -> np.ndarray:
        return self.mask


class Fliplr:
    """Mirrors images and labels from left to right."""

    def to_deterministic(self) -> "Fliplr":
        return self

    def augment_image(self, image: np.ndarray) -> np.ndarray:
        return image[:, ::-1]

    def augment_segmentation_maps(self, maps: SegmentationMapsOnImage) -> SegmentationMapsOnImage:
        return SegmentationMapsOnImage(maps.mask[:, ::-1], maps.mask.shape)


def install(monkeypatch) -> None:
    """Let `from imgaug.augmentables.segmaps import SegmentationMapsOnImage` find the one here."""
    segmaps = types.ModuleType("imgaug.augmentables.segmaps")
    segmaps.SegmentationMapsOnImage = SegmentationMapsOnImage
    monkeypatch.setitem(sys.modules, "imgaug", types.ModuleType("imgaug"))
    monkeypatch.setitem(sys.modules, "imgaug.augmentables", types.ModuleType("imgaug.augmentables"))
    monkeypatch.setitem(sys.modules, "imgaug.augmentables.segmaps", segmaps)
