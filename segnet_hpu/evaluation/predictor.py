"""What evaluation asks of whoever predicts; `inference` has the classes that do."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np

# What `prepare` hands to `run`, and `run` to `classes`: each predictor's own, such as a resized picture and logits.
Prepared = Any
Result = Any
Results = Any  # a sequence of them, or an array whose first axis counts them


class SupportsPrediction(Protocol):
    """Predicts in three steps that may run in different threads, each on another picture: prepare, run, classes."""

    batch_size: int

    def predict(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return class maps uint8 (y, x), each of the size of its image, uint8 RGB (y, x, 3)."""
        ...

    def prepare(self, image: np.ndarray) -> Prepared:
        """Return what `run` takes of an image uint8 RGB (y, x, 3)."""
        ...

    def run(self, inputs: Sequence[Prepared]) -> Results:
        """Return a result for each of at most `batch_size` inputs."""
        ...

    def planes(self, result: Result, size: tuple[int, int]) -> Iterable[np.ndarray]:
        """Return the scores of each class in turn, float32 (y, x) of `size`."""
        ...

    def probability(self, result: Result, size: tuple[int, int], class_id: int) -> np.ndarray:
        """Return the probability of a class, float32 (y, x) of `size`."""
        ...

    def classes(self, result: Result, size: tuple[int, int]) -> np.ndarray:
        """Return the class map, uint8 (y, x) of `size`: at each pixel the class of the highest score."""
        ...
