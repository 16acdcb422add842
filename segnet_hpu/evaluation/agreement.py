"""Compare an exported file with the Keras model that it was made from."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from segnet_hpu.evaluation.predictor import SupportsPrediction


@dataclass(frozen=True)
class Agreement:
    """equal: the share of pixels that have the same class in both.

    difference: the largest absolute one between the numbers of both; None where these are class ids.
    keras_ms, exported_ms: the medians of the milliseconds a picture took.
    """

    pictures: int
    equal: float
    difference: float | None
    keras_ms: float
    exported_ms: float

    def __str__(self) -> str:
        largest = "" if self.difference is None else f", largest difference {self.difference:.3g}"
        return (f"{100 * self.equal:.3f} % of the pixels of {self.pictures} pictures agree with Keras{largest}; "
                f"{self.exported_ms:.1f} ms a picture, Keras {self.keras_ms:.1f} ms")


def compare(predictor: SupportsPrediction, run: Callable[[np.ndarray], np.ndarray], output: str,
            images: Iterable[np.ndarray]) -> Agreement:
    """Return the Agreement of a Keras model's predictor and an exported file on uint8 RGB pictures of any size.

    run: uint8 (1, H, W, 3) -> the file's output, as `load` of a format returns it. output: "logits", "softmax"
    or "classes". Both take turns, picture by picture, after a first call that does not count.
    """
    equal, differences = [], []
    times: list[tuple[float, float]] = []
    for image in images:
        small = predictor.prepare(image)
        if not times:  # the first call of each prepares much
            _answer(predictor, small, output), run(small[None])
        began = time.perf_counter()
        ours = _answer(predictor, small, output)
        between = time.perf_counter()
        theirs = run(small[None])[0]
        times.append((between - began, time.perf_counter() - between))
        equal.append(np.mean(_classes(ours) == _classes(theirs)))
        differences.append(np.abs(ours.astype(np.float64) - theirs).max())
    keras_ms, exported_ms = 1000 * np.median(times, axis=0)
    return Agreement(len(times), float(np.mean(equal)), None if output == "classes" else float(max(differences)),
                     float(keras_ms), float(exported_ms))


def _answer(predictor: SupportsPrediction, image: np.ndarray, output: str) -> np.ndarray:
    """What the exported file should give, by Keras, OpenCV and NumPy."""
    (logits,) = predictor.run([image])
    if output == "classes":
        return predictor.classes(logits, image.shape[:2])
    if output == "logits":
        return logits
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _classes(answer: np.ndarray) -> np.ndarray:
    return answer if answer.ndim == 2 else answer.argmax(-1)
