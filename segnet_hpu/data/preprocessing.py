"""From a source's image and label to what the network takes: fixed size, uint8."""

import inspect
from collections.abc import Callable, Collection
from typing import Protocol

import cv2
import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data import geometry, photometric
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.geometry import USUAL, Downsampling, Output, Size
from segnet_hpu.data.source import Sample
from segnet_hpu.data.transforms.clahe import equalise
from segnet_hpu.errors import UsageError, users_code

PairFunction = Callable[..., tuple[np.ndarray, np.ndarray]]  # (image, mask), and rng where it has that parameter


class Transform(Protocol):
    """What a Loader makes of a sample: an image and a label of two fixed sizes."""

    size: Size
    label_size: Size
    channels: int

    def __call__(self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator, out: Output) -> Sample:
        """Return (uint8 (H, W, C), uint8 (h, w)), the arrays `out` filled; `rng` is the only source of chance."""


class TrainTransform:
    """Resize and augment a sample; called with (image, label, rng).

    size: (H, W) of the network's input. label_size: (h, w) of its output.
    augmentation: an Augmentation. ignore_label: the label, any number, that means "no class" in
    the files; it becomes 255, and so does what lies outside the source image.
    custom: a function (image, mask) -> (image, mask) on arrays of its own, applied first; see change_pair.
    channels: C of the images: 3, RGB, or another number as photometric.py takes it.
    downsampling: how images and labels are made smaller. n_classes: a custom function's ids must be below that, or
    void; None allows all.

    >>> transform = TrainTransform((64, 96), (32, 48), Augmentation.preset("standard"))
    >>> rng = np.random.default_rng(0)
    >>> image, label = transform(np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.uint8), rng)
    >>> image.shape, label.shape
    ((64, 96, 3), (32, 48))
    """

    def __init__(self, size: Size, label_size: Size, augmentation: Augmentation | None = None,
                 ignore_label: int | None = None, custom: PairFunction | None = None, channels: int = 3,
                 downsampling: Downsampling = USUAL, n_classes: int | None = None) -> None:
        self.size, self.label_size, self.channels = tuple(size), tuple(label_size), channels
        self.downsampling = downsampling
        self.augmentation = augmentation or Augmentation()
        self.custom, self.n_classes, self.void = custom, n_classes, {VOID, ignore_label}
        self._ids = np.arange(256, dtype=np.uint8)
        if ignore_label in range(256):
            self._ids[ignore_label] = VOID

    def __call__(self, image: np.ndarray, label: np.ndarray, rng: np.random.Generator,
                 out: Output = (None, None)) -> Sample:
        """Return (uint8 (H, W, C), uint8 (h, w)) from uint8 (y, x, C) and (y, x) of any size.

        rng: a numpy Generator, the only source of chance. out: arrays to write the two into.
        """
        if self.custom:
            image, label = change_pair(self.custom, image, label, rng, self.n_classes, self.void)
        matrix = geometry.random_matrix(self.augmentation, rng, image.shape[:2])
        if matrix is None:
            image, label = geometry.resize(image, label, self.size, self.label_size, out, self.downsampling)
        else:
            image, label = geometry.warp(image, label, matrix, self.size, self.label_size, VOID, out,
                                         self.downsampling)
        image = np.atleast_3d(image)  # OpenCV drops the axis of a single channel
        photometric.change(image, self.augmentation, rng, label)
        return Sample(image, cv2.LUT(label, self._ids, dst=label))


def change_pair(custom: PairFunction, image: np.ndarray, label: np.ndarray,
                rng: np.random.Generator, n_classes: int | None = None,
                void: Collection[int | None] = (VOID,)) -> tuple[np.ndarray, np.ndarray]:
    """Return what a user's own function makes of a pair, which it gets as copies.

    rng: what it gets if it has a parameter of that name; a run that draws from nothing else can be repeated.
    n_classes, void: ids are 0..n_classes-1 or some of void; None allows all.
    Raises UsageError where it fails, returns no pair, or a mask with ids that are not allowed.
    """
    what = f"augmentation {getattr(custom, '__name__', type(custom).__name__)}"
    with users_code(what, "a function (image, mask) -> (image, mask), uint8 (H, W, C) and (H, W)"):
        chance = {"rng": rng} if "rng" in inspect.signature(custom).parameters else {}
        pair = custom(image.copy(), label.copy(), **chance)
        if not (isinstance(pair, tuple | list) and len(pair) == 2):
            raise TypeError(f"it returned a {type(pair).__name__}")
        for array, like in zip(pair, (image, label), strict=True):
            found = np.asarray(array)
            if found.dtype != np.uint8 or found.ndim != like.ndim:
                raise TypeError(f"it returned {found.dtype} {found.shape} for {like.dtype} {like.shape}")
        if pair[0].shape[:2] != pair[1].shape:
            raise TypeError(f"it returned an image {pair[0].shape} and a mask {pair[1].shape}")
        _refuse_other_ids(label, pair[1], n_classes, void)
    return pair[0], pair[1]


def _refuse_other_ids(before: np.ndarray, after: np.ndarray, n_classes: int | None,
                      void: Collection[int | None]) -> None:
    """Raise ValueError for ids in a mask that are no class, but for those that it held before."""
    if n_classes is None or after.max(initial=0) < n_classes:
        return
    present = np.flatnonzero(np.bincount(after.ravel())).tolist()
    wrong = [i for i in present if i >= n_classes and i not in void and not (before == i).any()]
    if wrong:
        listed = ", ".join(map(str, wrong[:8])) + (f" and {len(wrong) - 8} more" if len(wrong) > 8 else "")
        raise ValueError(f"it returned a mask with ids outside 0..{n_classes - 1}: {listed}; a mask that is resized "
                         "or turned needs nearest neighbour")


class EvalTransform:
    """Resize an image for evaluation and prediction; called with (image).

    size: (H, W) of the network's input. clahe: equalise every image. channels: C of the images. downsampling: how
    images were made smaller in training, see geometry.Downsampling.
    """

    def __init__(self, size: Size, clahe: bool = False, channels: int = 3, downsampling: str = "area") -> None:
        self.size, self.clahe, self.channels, self.downsampling = tuple(size), clahe, channels, downsampling

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Return uint8 (H, W, C) from uint8 (y, x, C). Raises UsageError for another C."""
        if image.shape[2] != self.channels:
            raise UsageError(f"the picture has {image.shape[2]} channels, the network takes {self.channels}")
        image = np.atleast_3d(geometry.resize_image(image, self.size, self.downsampling))
        return photometric.each_picture(image, equalise) if self.clahe else image
