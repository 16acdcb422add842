"""From images of any size to class maps of their own size."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from segnet_hpu.data.preprocessing import EvalTransform
from segnet_hpu.evaluation.predictor import Prepared, Result, Results
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.models.weights import refuse_broken_output, refuse_broken_weights
from segnet_hpu.runtime.tensorflow_log import silence_retracing

if TYPE_CHECKING:
    import keras


def input_transform(model: "keras.Model | TrainedModel") -> EvalTransform:
    """Return the EvalTransform for a model: to its size, and as equalised (CLAHE), as in training."""
    trained = TrainedModel.of(model)
    _, height, width, channels = trained.network.input_shape
    coding = trained.input_coding
    return EvalTransform((height, width), coding.equalises, channels, coding.downsampling)


class Predictor:
    """Runs a model in batches of one static shape.

    Its three steps may run in different threads, each on another image: prepare -> run -> classes (or planes).
    Classes derived from it predict otherwise by the same methods: at several scales, or by a sliding window.

    model: a TrainedModel or a network, raw RGB (B, H, W, 3) -> logits (B, h, w, C). batch_size: images a forward
    pass. size: the network's (H, W).

    >>> Predictor(model).predict([image])[0]  # uint8 class ids, as high and wide as the image
    """

    def __init__(self, model: "keras.Model | TrainedModel", batch_size: int = 1) -> None:
        self.model, self.batch_size = TrainedModel.of(model).network, batch_size
        refuse_broken_weights(self.model, self.model.name)
        silence_retracing()
        self.size: tuple[int, int] = self.model.input_shape[1:3]
        self._resize = input_transform(model)

    def predict(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return class maps uint8 (y, x), each of the size of its image.

        images: at most batch_size uint8 RGB arrays (y, x, 3), sizes may differ.
        """
        results = self.run([self.prepare(image) for image in images])
        return [self.classes(one, image.shape[:2]) for one, image in zip(results, images, strict=True)]

    def prepare(self, image: np.ndarray) -> Prepared:
        """Return what `run` takes of an image uint8 (y, x, 3): here the image at the network's size."""
        return self._resize(image)

    def run(self, inputs: Sequence[Prepared]) -> Results:
        """Return logits (N, h, w, C), float32, of N <= batch_size images of the network's size.

        Raises RunError where they are no numbers.
        """
        batch = np.zeros((self.batch_size, *inputs[0].shape), np.float32)
        batch[:len(inputs)] = inputs
        logits = np.asarray(self.model.predict_on_batch(batch))[:len(inputs)]
        refuse_broken_output(logits, self.model)
        return logits

    def planes(self, result: Result, size: tuple[int, int]) -> Iterable[np.ndarray]:
        """Yield the scores of each class in turn, float32 (y, x), of one of `run`'s results."""
        return planes_at(result, size)

    def probability(self, result: Result, size: tuple[int, int], class_id: int) -> np.ndarray:
        """Return the probability of a class, float32 (y, x) of `size`, of one of `run`'s results."""
        return probability_of(class_id, self.planes(result, size))

    def classes(self, result: Result, size: tuple[int, int]) -> np.ndarray:
        """Return the class map uint8 (y, x) of one of `run`'s results: of the highest score, the first of equals."""
        return highest(self.planes(result, size))


def planes_at(logits: np.ndarray, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield each class's plane of logits (h, w, C), resized bilinearly to `size` (y, x)."""
    for c in range(logits.shape[-1]):
        yield cv2.resize(np.ascontiguousarray(logits[..., c]), size[::-1])


def classes_at(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the class map uint8 (y, x) of logits (h, w, C) resized bilinearly to `size` (y, x)."""
    return highest(planes_at(logits, size))


def highest(planes: Iterable[np.ndarray]) -> np.ndarray:
    """Return the index, uint8 (y, x), of the plane that is highest at each pixel, the first of equal ones."""
    planes = iter(planes)
    best = np.array(next(planes))
    classes = np.zeros(best.shape, np.uint8)
    # A running maximum over planes: several times quicker than argmax over a short last axis.
    for c, plane in enumerate(planes, start=1):
        higher = cv2.compare(plane, best, cv2.CMP_GT)
        np.bitwise_and(higher, np.uint8(c), out=higher)  # 255 becomes c, which is above all classes before
        np.maximum(classes, higher, out=classes)
        cv2.max(plane, best, dst=best)
    return classes


def probability_of(class_id: int, planes: Iterable[np.ndarray]) -> np.ndarray:
    """Return the softmax, float32 (y, x), of the plane of a class among the logits of all, each float32 (y, x).

    planes: in the order of the classes; one at a time is held in memory.
    """
    largest, total, own = np.array(-np.inf, np.float32), np.array(0, np.float32), np.array(0, np.float32)
    for c, plane in enumerate(planes):
        own = plane if c == class_id else own
        before, largest = largest, np.maximum(largest, plane)
        # The sum is relative to the highest logit so far, so that no exponential overflows.
        total = total * np.exp(before - largest) + np.exp(plane - largest)
    return np.exp(own - largest) / total
