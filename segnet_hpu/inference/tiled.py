"""Sliding window: pictures larger than the network's input, at their own scale and in bounded memory."""

import math
from collections.abc import Iterator, Sequence
from typing import NoReturn

import cv2
import numpy as np

from segnet_hpu.data.geometry import resize_label
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.predictor import Result
from segnet_hpu.inference.predictor import Predictor, highest

# Window positions are multiples of it, so that the network's strides fall on one grid over the whole picture.
GRID = 32


class TiledPredictor(Predictor):
    """Slides a predictor's window over each picture and blends the scores of windows that overlap.

    predictor: a Predictor; its size is the window's. overlap: of neighbouring windows, at least, as a
    fraction of the window, 0 <= overlap < 1. Scores are weighted by a squared Hann window, so that those
    near a window's border, which lack context, count least. One row of windows is held at a time: 4 * C * h *
    W bytes of scores for a picture W wide, a window h high and C classes, whatever the picture's height.
    """

    batch_size = 1

    def __init__(self, predictor: Predictor, overlap: float = 0.5) -> None:
        self.predictor, self.size = predictor, predictor.size
        if not 0 <= overlap < 1:
            raise UsageError(f"overlap is {overlap}; expected at least 0 and less than 1")
        self.steps = [max(1, math.floor(side * (1 - overlap))) for side in self.size]
        self.weight = np.outer(*map(_hann_squared, self.size))

    def prepare(self, image: np.ndarray) -> np.ndarray:
        """Return the image as it is."""
        return image

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the class maps, uint8 (y, x), of images uint8 (y, x, 3)."""
        return [self._label(image) for image in inputs]

    def planes(self, result: np.ndarray, size: tuple[int, int]) -> NoReturn:
        """Raise UsageError: the scores of a whole picture are never held."""
        raise UsageError("--tile keeps no scores of a whole picture; leave it out where probabilities are asked for")

    def probability(self, result: np.ndarray, size: tuple[int, int], class_id: int) -> NoReturn:
        """Raise UsageError as `planes`."""
        self.planes(result, size)

    def classes(self, result: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return the class map, by nearest neighbour if `size` is not its own."""
        if result.shape == tuple(size):
            return result
        return resize_label(result, size)

    def _label(self, image: np.ndarray) -> np.ndarray:
        tops, lefts = (window_starts(length, window, step) for length, window, step
                       in zip(image.shape[:2], self.size, self.steps, strict=True))
        height, width = self.size
        padded = _mirrored(image, tops[-1] + height, lefts[-1] + width)
        classes = np.empty(padded.shape[:2], np.uint8)
        band: np.ndarray = np.zeros(0, np.float32)
        for top, following in zip(tops, [*tops[1:], tops[-1] + height], strict=True):
            rows = padded[top:top + height]
            # One thread resizes and weighs scores while the model is at work on the next window.
            for left, planes in prefetched(self._weighed, self._run(rows, lefts), threads=1, ahead=2):
                band = band if band.size else np.zeros((len(planes), *rows.shape[:2]), np.float32)
                band[:, :, left:left + width] += planes
            # No window below reaches the rows above its top.
            done = following - top
            classes[top:following] = highest(band[:, :done])
            for plane in band:
                plane[:height - done] = plane[done:]
                plane[height - done:] = 0
        return classes[:image.shape[0], :image.shape[1]]

    def _run(self, rows: np.ndarray, lefts: Sequence[int]) -> Iterator[tuple[int, Result]]:
        """Yield (left, result) of each window of a row."""
        inner = self.predictor
        for group in batched(lefts, inner.batch_size):
            windows = [inner.prepare(rows[:, left:left + self.size[1]]) for left in group]
            yield from zip(group, inner.run(windows), strict=True)

    def _weighed(self, item: tuple[int, Result]) -> tuple[int, list[np.ndarray]]:
        left, result = item
        return left, [plane * self.weight for plane in self.predictor.planes(result, self.size)]


def window_starts(length: int, window: int, step: int) -> list[int]:
    """Return where windows start along a side: from 0 at most `step` apart, evenly, until its end is covered.

    They lie on multiples of 32, or of the largest power of two up to `step`; so the last may reach out.
    """
    grid = min(GRID, 1 << (step.bit_length() - 1))
    last = max(math.ceil((length - window) / grid), 0)
    gaps = math.ceil(last / (step // grid))
    return [grid * (last * i // gaps) for i in range(gaps)] + [grid * last]


def _hann_squared(n: int) -> np.ndarray:
    return (np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 4).astype(np.float32)


def _mirrored(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image continued below and on its right by its mirror image."""
    y, x = image.shape[:2]
    return cv2.copyMakeBorder(image, 0, height - y, 0, width - x, cv2.BORDER_REFLECT_101)
