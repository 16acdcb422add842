"""Random changes of colour and sharpness; places stay as they are.

An image of other than 3 channels is a stack of RGB pictures, or of grey ones if the channels do not divide by three;
all pictures of a stack are changed alike.
"""

from collections.abc import Callable

import numpy as np

from segnet_hpu.data.augmentation import Augmentation


def change(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator,
           label: np.ndarray | None = None) -> np.ndarray:
    """Change `image`, uint8 (H, W, C), and its label, uint8 (h, w), in place as `augmentation` says.

    Returns the image.
    """
    if image.shape[2] != 3:
        seed = rng.integers(2**63)
        return each_picture(image, lambda rgb: change(rgb, augmentation, np.random.default_rng(seed), label))
    for transform, options in augmentation.photometric:
        transform.make(options, {"image": image, "label": label, "rng": rng})
    return image


def each_picture(image: np.ndarray, change_rgb: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Change each picture of `image`, uint8 (H, W, C), in place; returns it.

    change_rgb: changes uint8 (H, W, 3) in place and returns it.
    """
    if image.shape[2] == 3:
        return change_rgb(image)
    width = 1 if image.shape[2] % 3 else 3
    for first in range(0, image.shape[2], width):
        picture = image[:, :, first:first + width]
        rgb = np.array(np.broadcast_to(picture, (*picture.shape[:2], 3)))
        picture[...] = change_rgb(rgb)[:, :, :width]
    return image
