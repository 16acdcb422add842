"""Random changes of colour and sharpness; places and labels stay as they are.

An image of other than 3 channels is a stack of RGB pictures, or of grey ones if the channels do not divide by three;
all pictures of a stack are changed alike.
"""

from collections.abc import Callable

import cv2
import numpy as np

from segnet_hpu.data.augmentation import Augmentation

# RGB to luma and two axes of colour (YIQ): turning the last two turns the hue, stretching them
# changes the saturation, and grey stays grey.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
_RGB = np.linalg.inv(_YIQ)


def change(image: np.ndarray, augmentation: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Change `image`, uint8 (H, W, C), in place as `augmentation` says; returns it."""
    if image.shape[2] != 3:
        seed = rng.integers(2**63)
        return _each_picture(image, lambda rgb: change(rgb, augmentation, np.random.default_rng(seed)))
    a = augmentation
    if a.clahe and rng.random() < a.clahe:
        equalise(image)
    if a.brightness or a.contrast or a.hue or a.saturation:
        recolour(image, brightness=rng.uniform(-a.brightness, a.brightness),
                 contrast=1 + rng.uniform(-a.contrast, a.contrast), hue=rng.uniform(-a.hue, a.hue),
                 saturation=1 + rng.uniform(-a.saturation, a.saturation))
    if a.luma:
        recolour(image, luma=rng.uniform(1 - a.luma, 1 + a.luma))
    if a.blur[0] and rng.random() < a.blur[0]:
        cv2.GaussianBlur(image, (0, 0), max(rng.uniform(0, a.blur[1]), 0.1), dst=image)
    if a.noise[0] and rng.random() < a.noise[0]:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, a.noise[1]))
        cv2.add(image, noise, dst=image, dtype=cv2.CV_8U)
    return image


def recolour(image: np.ndarray, brightness: float = 0.0, contrast: float = 1.0, hue: float = 0.0,
             saturation: float = 1.0, luma: float = 1.0) -> np.ndarray:
    """Change `image`, uint8 (H, W, 3) RGB, in place; values are clipped to 0..255. Returns it.

    brightness: added, as a fraction of 255. contrast: factor about mid-grey.
    hue: degrees. saturation: factor. luma: factor of Y of YUV, with U and V kept.
    """
    # All are one affine map of RGB, which is cheaper than a way through HSV, and than a table.
    offset = 127.5 * (1 - contrast) + 255 * brightness
    cos, sin = np.cos(np.deg2rad(hue)) * saturation, np.sin(np.deg2rad(hue)) * saturation
    turn = np.array([[luma, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix = np.column_stack([contrast * (_RGB @ turn @ _YIQ), np.full(3, offset)])
    return cv2.transform(image, matrix, dst=image)


def equalise(image: np.ndarray) -> np.ndarray:
    """Equalise the lightness of `image`, uint8 (H, W, C), tile by tile, in place; returns it.

    CLAHE (Zuiderveld, Graphics Gems IV, 1994) on L of LAB, clip limit 1.0, 8x8 tiles.
    """
    if image.shape[2] != 3:
        return _each_picture(image, equalise)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lightness = cv2.createCLAHE(clipLimit=1.0, tileGridSize=(8, 8)).apply(lab[:, :, 0])
    cv2.insertChannel(lightness, lab, 0)
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB, dst=image)


def _each_picture(image: np.ndarray, change_rgb: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Change each picture of a stack, in place; returns the stack."""
    width = 1 if image.shape[2] % 3 else 3
    for first in range(0, image.shape[2], width):
        picture = image[:, :, first:first + width]
        rgb = np.array(np.broadcast_to(picture, (*picture.shape[:2], 3)))
        picture[...] = change_rgb(rgb)[:, :, :width]
    return image
