"""Resizing and all geometric transforms as one affine matrix, applied once.

Matrices act on continuous coordinates (x, y), in which pixel k covers [k, k + 1): resizing is then a plain scale,
and images and smaller label maps stay aligned. Where an image shrinks, a new pixel is the mean of what it covers, or
it is read at its centre, where thin structures fall between two centres.
"""

from typing import NamedTuple

import cv2
import numpy as np

from segnet_hpu.data.augmentation import GEOMETRIC, Augmentation

Size = tuple[int, ...]  # height, width
Output = tuple[np.ndarray | None, np.ndarray | None]  # arrays to write an image and its label into

# A centre between two pixels, as a mirrored label has them, is read from the one that follows. cv2.warpAffine does so
# in some releases; a shift by this part of a pixel makes it in all.
TIE = 1 / 256


class Downsampling(NamedTuple):
    """How images and labels are made smaller.

    image: "area", the mean of what a pixel covers, or "bilinear", between the pixels around its centre.
    label: "centre", the class there, or "majority", that of most of what a pixel covers, of equals the rarer in the
    whole label.
    """

    image: str = "area"
    label: str = "centre"


USUAL = Downsampling()


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


def resize_image(image: np.ndarray, size: Size, downsampling: str = "area",
                 out: np.ndarray | None = None) -> np.ndarray:
    """Return an image (y, x, C) at `size`, enlarged bilinearly or made smaller as `Downsampling` says.

    A single channel's axis is dropped.
    """
    return cv2.resize(_averaged(image, size, downsampling), size[::-1], dst=out, interpolation=cv2.INTER_LINEAR)


def resize_label(label: np.ndarray, size: Size, downsampling: str = "centre",
                 out: np.ndarray | None = None) -> np.ndarray:
    """Return class ids uint8 (y, x) at `size`, read at each pixel's centre unless the majority decides."""
    label = _majority(label, size, downsampling)
    # In whole numbers: cv2.INTER_NEAREST_EXACT rounds some centres between two pixels down, others up.
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, label.shape, strict=True))
    return np.take(label[rows], columns, axis=1, out=out, mode="clip")


def resize(image: np.ndarray, label: np.ndarray, size: Size, label_size: Size, out: Output = (None, None),
           downsampling: Downsampling = USUAL) -> tuple[np.ndarray, np.ndarray]:
    """Resize an image and its label to `size` and `label_size`."""
    return (resize_image(image, size, downsampling.image, out[0]),
            resize_label(label, label_size, downsampling.label, out[1]))


def warp(image: np.ndarray, label: np.ndarray, matrix: np.ndarray, size: Size, label_size: Size, fill: int,
         out: Output = (None, None), downsampling: Downsampling = USUAL) -> tuple[np.ndarray, np.ndarray]:
    """Change by `matrix` and resize; labels from outside become `fill`.

    What shrinks is made smaller first, along each of its own axes, and then changed in one interpolation. The image
    is mirrored at its border: natural texture, from which nothing is learned.
    """
    source = image.shape[:2]
    image = _averaged(image, _reached(source, matrix, size), downsampling.image)
    label = _majority(label, _reached(source, matrix, label_size), downsampling.label)
    tie = TIE if np.array_equal(np.abs(matrix[:2, :2]), np.eye(2)) else 0
    return (cv2.warpAffine(image, _between_centres(matrix, source, size, image.shape), size[::-1], dst=out[0],
                           flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101),
            cv2.warpAffine(label, _between_centres(matrix, source, label_size, label.shape, tie), label_size[::-1],
                           dst=out[1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=fill))


def _averaged(image: np.ndarray, size: Size, downsampling: str) -> np.ndarray:
    """The image as small as `size` along the axes that shrink, if pixels are averaged."""
    smaller = _smaller(image, size)
    if downsampling != "area" or smaller == image.shape[:2]:
        return image
    # OpenCV averages up to four channels at once.
    parts = [cv2.resize(image[:, :, i:i + 4], smaller[::-1], interpolation=cv2.INTER_AREA)
             for i in range(0, image.shape[2], 4)]
    return parts[0] if len(parts) == 1 else np.dstack(parts)


def _majority(label: np.ndarray, size: Size, downsampling: str) -> np.ndarray:
    """The label as small as `size` along the axes that shrink, if the majority decides."""
    smaller = _smaller(label, size)
    if downsampling != "majority" or smaller == label.shape:
        return label
    largest, classes = np.zeros(smaller, np.float32), np.zeros(smaller, np.uint8)
    counts = np.bincount(label.ravel(), minlength=256)
    for class_id in sorted(np.flatnonzero(counts), key=lambda i: counts[i]):  # of equal shares the rarer one's stays
        share = cv2.resize((label == class_id).astype(np.float32), smaller[::-1], interpolation=cv2.INTER_AREA)
        classes[share > largest + 1e-4] = class_id  # more than by rounding
        np.maximum(largest, share, out=largest)
    return classes


def _smaller(array: np.ndarray, size: Size) -> Size:
    return tuple(min(new, old) for new, old in zip(size, array.shape[:2], strict=True))


def _reached(source: Size, matrix: np.ndarray, target: Size) -> Size:
    """How long the sides of an image are behind `matrix` and a resize from `source` to `target`, at least 1."""
    width, height = np.linalg.norm(_scale(source, target)[:2, :2] @ matrix[:2, :2], axis=0)
    return max(1, round(source[0] * height)), max(1, round(source[1] * width))


def _between_centres(matrix: np.ndarray, source: Size, target: Size, stored: Size, tie: float = 0) -> np.ndarray:
    """`matrix` followed by a resize from `source` to `target`, for cv2: 2x3, between pixel centres.

    stored: the size that the source was brought to already. tie: how far behind its centre a pixel is read.
    """
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    earlier = np.array([[1, 0, 0.5 - tie], [0, 1, 0.5 - tie], [0, 0, 1]])
    matrix = matrix @ _scale(stored, source) if stored[:2] != source else matrix
    return (np.linalg.inv(half) @ _scale(source, target) @ matrix @ earlier)[:2]


def _scale(source: Size, target: Size) -> np.ndarray:
    return np.diag([target[1] / source[1], target[0] / source[0], 1.0])
