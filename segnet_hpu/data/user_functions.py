"""A user's own functions of images, as keras_segmentation takes them."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from segnet_hpu.data.source import Sample, Source
from segnet_hpu.data.transforms import PairFunction
from segnet_hpu.errors import UsageError


class Prepared:
    """A source whose images go through a function first: uint8 RGB (H, W, 3) to the same, H and W its own."""

    def __init__(self, source: Source, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.source, self.function = source, function

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> Sample:
        """Return (image, label) of sample i."""
        image, label = self.source[i]
        return Sample(self.function(image), label)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)


def pair_function(custom: Callable[..., Any]) -> PairFunction:
    """Return the function (image, mask) -> (image, mask) that `custom` means; arrays uint8 (H, W, 3) and (H, W).

    custom: such a function, or one without arguments that returns an imgaug augmenter, which is called here,
    once. Raises UsageError where imgaug is needed and does not work, or an augmenter does not come.
    """
    if not callable(custom):
        raise UsageError(f"custom_augmentation is a {type(custom).__name__}; expected a function "
                         "(image, mask) -> (image, mask), or one that returns an imgaug augmenter")
    if _takes_arguments(custom):
        return custom
    return _by_imgaug(custom())


def _takes_arguments(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of a function that is not written in Python
        return True
    return any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)


def _by_imgaug(augmenter: Any) -> PairFunction:
    if not hasattr(augmenter, "to_deterministic"):
        raise UsageError(f"custom_augmentation without arguments returned a {type(augmenter).__name__}; expected an "
                         "imgaug augmenter. Or give a function (image, mask) -> (image, mask)")
    try:
        from imgaug.augmentables.segmaps import SegmentationMapsOnImage
    except (ImportError, AttributeError) as error:  # imgaug 0.4.0 uses names that NumPy 2 no longer has
        raise UsageError(f"custom_augmentation needs imgaug, which does not work here ({error}); give a function "
                         "(image, mask) -> (image, mask)") from None

    def change(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        same = augmenter.to_deterministic()
        maps = same.augment_segmentation_maps(SegmentationMapsOnImage(mask, shape=image.shape))
        return same.augment_image(image), maps.get_arr()
    return change
