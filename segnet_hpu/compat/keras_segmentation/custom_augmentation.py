"""A user's own augmentation, as keras_segmentation takes it."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from segnet_hpu.compat.keras_segmentation.pairs import DataLoaderError
from segnet_hpu.data.preprocessing import PairFunction
from segnet_hpu.errors import UsageError


def pair_function(custom: Callable[..., Any], pictures: int = 1) -> PairFunction:
    """Return the function (image, mask) -> (image, mask) that `custom` means; arrays uint8 (H, W, C) and (H, W).

    custom: such a function, or one without arguments that returns an imgaug augmenter, which is called here,
    once. pictures: how many lie one after another in the C channels; an augmenter changes them alike.
    Raises UsageError where imgaug is needed and does not work, an augmenter does not come, or a function of
    one image would get several.
    """
    if not callable(custom):
        raise UsageError(f"custom_augmentation is a {type(custom).__name__}; expected a function "
                         "(image, mask) -> (image, mask), or one that returns an imgaug augmenter")
    if not _takes_arguments(custom):
        return _by_imgaug(custom(), pictures)
    if pictures > 1:
        raise DataLoaderError("custom_augmentation does not go with other_inputs_paths: it could not change all "
                              "inputs alike. Give a function that returns an imgaug augmenter, or a preset")
    return custom


def _takes_arguments(function: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of a function that is not written in Python
        return True
    return any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)


def _by_imgaug(augmenter: Any, pictures: int) -> PairFunction:
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
        changed = [same.augment_image(np.ascontiguousarray(picture))
                   for picture in np.split(image, pictures, axis=2)]
        return np.concatenate(changed, axis=2), maps.get_arr()
    return change
