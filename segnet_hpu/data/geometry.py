"""Resizing and all geometric transforms as one affine matrix, applied once.

Matrices act on continuous coordinates (x, y), in which pixel k covers [k, k + 1): resizing is then
a plain scale, and images and smaller label maps stay aligned. A label is read at the centre of its new pixel, as the
image is; cv2.INTER_NEAREST reads it up to one old pixel further up and left.
"""

import cv2
import numpy as np

from segnet_hpu.data.augmentation import GEOMETRIC, Augmentation

Size = tuple[int, ...]  # height, width
Output = tuple[np.ndarray | None, np.ndarray | None]  # arrays to write an image and its label into


def random_matrix(augmentation: Augmentation, rng: np.random.Generator, size: Size) -> np.ndarray | None:
    """Draw a change of an image of `size` (height, width), in its own pixels.

    Returns a 3x3 matrix from source to changed coordinates, or None for no change.
    """
    matrix = None
    for transform in GEOMETRIC:
        change = transform.make(augmentation.options(transform), {"rng": rng, "size": size})
        if change is not None:
            matrix = change if matrix is None else change @ matrix
    return matrix


def resize(image: np.ndarray, label: np.ndarray, size: Size, label_size: Size,
           out: Output = (None, None)) -> tuple[np.ndarray, np.ndarray]:
    """Resize an image (bilinear) and its label (nearest to the centre) to `size` and `label_size`."""
    return (cv2.resize(image, size[::-1], dst=out[0], interpolation=cv2.INTER_LINEAR),
            cv2.resize(label, label_size[::-1], dst=out[1], interpolation=cv2.INTER_NEAREST_EXACT))


def warp(image: np.ndarray, label: np.ndarray, matrix: np.ndarray, size: Size, label_size: Size, fill: int,
         out: Output = (None, None)) -> tuple[np.ndarray, np.ndarray]:
    """Change by `matrix` and resize, in one interpolation; labels from outside become `fill`.

    The image is mirrored at its border: natural texture, from which nothing is learned.
    """
    source = image.shape[:2]
    return (cv2.warpAffine(image, _to(matrix, source, size), size[::-1], dst=out[0], flags=cv2.INTER_LINEAR,
                           borderMode=cv2.BORDER_REFLECT_101),
            cv2.warpAffine(label, _to(matrix, source, label_size), label_size[::-1], dst=out[1],
                           flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=fill))


def _to(matrix: np.ndarray, source: Size, target: Size) -> np.ndarray:
    """`matrix` followed by a resize from `source` to `target`, for cv2: 2x3, between pixel centres."""
    scale = np.diag([target[1] / source[1], target[0] / source[0], 1.0])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    return (np.linalg.inv(half) @ scale @ matrix @ half)[:2]
