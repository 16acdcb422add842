"""A user's own augmentation, as keras_segmentation takes it."""

import inspect

from segnet_hpu.errors import UsageError


def pair_function(custom):
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


def _takes_arguments(function):
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of a function that is not written in Python
        return True
    return any(p.default is p.empty and p.kind is not p.VAR_KEYWORD for p in parameters)


def _by_imgaug(augmenter):
    if not hasattr(augmenter, "to_deterministic"):
        raise UsageError(f"custom_augmentation without arguments returned a {type(augmenter).__name__}; expected an "
                         "imgaug augmenter. Or give a function (image, mask) -> (image, mask)")
    try:
        from imgaug.augmentables.segmaps import SegmentationMapsOnImage
    except (ImportError, AttributeError) as error:  # imgaug 0.4.0 uses names that NumPy 2 no longer has
        raise UsageError(f"custom_augmentation needs imgaug, which does not work here ({error}); give a function "
                         "(image, mask) -> (image, mask)") from None

    def change(image, mask):
        same = augmenter.to_deterministic()
        maps = same.augment_segmentation_maps(SegmentationMapsOnImage(mask, shape=image.shape))
        return same.augment_image(image), maps.get_arr()
    return change
