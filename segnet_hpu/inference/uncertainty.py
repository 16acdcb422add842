"""What many sampled predictions of one picture say together, and the files that tell it."""

import functools
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.files import replace_file, write_image
from segnet_hpu.inference.label_pictures import refuse_doubles, refuse_overwriting
from segnet_hpu.inference.predictor import planes_at

ENDINGS = ("_mean.png", "_uncertainty.png", "_mc.npz")


@dataclass
class SampledPrediction:
    """What sampled predictions of one picture say together.

    mean: of the softmax, float32 (h, w, C). uncertainty: its variance, mean over the classes, (h, w).
    """

    mean: np.ndarray
    uncertainty: np.ndarray

    @classmethod
    def of(cls, softmaxes: Iterable[np.ndarray]) -> "SampledPrediction":
        """Take the mean and the variance (of the population) of any number of samples (h, w, C)."""
        mean = squares = np.array(0, np.float32)
        # Welford's method: stable, and two arrays for any number of samples.
        for n, softmax in enumerate(softmaxes, start=1):
            step = softmax - mean
            mean = mean + step / np.float32(n)
            squares = squares + step * (softmax - mean)
        return cls(mean, (squares / np.float32(n)).mean(axis=-1))

    def pictures(self, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return two grey pictures, uint8 (y, x) of `size`: of the highest mean, and of the uncertainty.

        The first is 255 where the mean is 1. The second is 255 * sqrt(uncertainty / largest), where
        (C - 1) / C^2 is the largest that there is for C classes; the root makes small values visible.
        """
        n_classes = self.mean.shape[-1]
        largest = max(n_classes - 1, 1) / n_classes**2
        # Plane by plane: OpenCV resizes 128 channels at most.
        mean = functools.reduce(np.maximum, planes_at(self.mean, size))
        uncertainty = cv2.resize(self.uncertainty, size[::-1])
        return _grey(mean), _grey(np.sqrt(np.maximum(uncertainty, 0) / largest))

    def write(self, path: Path, size: tuple[int, int]) -> None:
        """Write, beside the class map at `path`, the two pictures at `size` (y, x), and the numbers.

        The files are NAME_mean.png, NAME_uncertainty.png and NAME_mc.npz, which holds the fields of this
        class at the network's size.
        """
        mean, uncertainty, numbers = beside(path)
        for place, picture in zip((mean, uncertainty), self.pictures(size), strict=True):
            write_image(place, picture)
        data = io.BytesIO()
        np.savez(data, mean=self.mean, uncertainty=self.uncertainty)
        replace_file(numbers, data.getvalue())


def refuse_clashes(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Raise UsageError where a file beside a result would take the place of a picture or of another result.

    pairs: (picture, its class map).
    """
    pairs = [(picture, result) for picture, target in pairs for result in (target, *beside(target))]
    refuse_doubles(pairs)
    refuse_overwriting(pairs)


def beside(path: Path) -> list[Path]:
    """Return where the files beside the class map at `path` lie."""
    return [path.with_name(path.stem + ending) for ending in ENDINGS]


def _grey(values: np.ndarray) -> np.ndarray:
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
