"""From images of any size to class maps of their own size."""

import cv2
import numpy as np

from segnet_hpu.inference.inputs import input_transform
from segnet_hpu.inference.probability import probability_of


class Predictor:
    """Runs a model in batches of one static shape.

    Its three steps may run in different threads, each on another image: prepare -> run -> classes (or planes).
    Other ways to predict are classes derived from it, with the same methods.

    model: raw RGB (B, H, W, 3) -> logits (B, h, w, C). batch_size: images a forward pass.
    size: the network's (H, W).
    """

    def __init__(self, model, batch_size=1):
        self.model, self.batch_size = model, batch_size
        self.size = model.input_shape[1:3]
        self._resize = input_transform(model)

    def predict(self, images):
        """Return class maps uint8 (y, x), each of the size of its image.

        images: at most batch_size uint8 RGB arrays (y, x, 3), sizes may differ.
        """
        results = self.run([self.prepare(image) for image in images])
        return [self.classes(one, image.shape[:2]) for one, image in zip(results, images, strict=True)]

    def prepare(self, image):
        """Return what `run` takes of an image uint8 (y, x, 3): here the image at the network's size."""
        return self._resize(image)

    def run(self, inputs):
        """Return logits (N, h, w, C), float32, of N <= batch_size images of the network's size."""
        batch = np.zeros((self.batch_size, *inputs[0].shape), np.float32)
        batch[:len(inputs)] = inputs
        return np.asarray(self.model.predict_on_batch(batch))[:len(inputs)]

    def planes(self, result, size):
        """Yield the scores of each class in turn, float32 (y, x), of one of `run`'s results."""
        return planes_at(result, size)

    def probability(self, result, size, chosen):
        """Return the probability of the class `chosen`, float32 (y, x) of `size`, of one of `run`'s results."""
        return probability_of(chosen, self.planes(result, size))

    def classes(self, result, size):
        """Return the class map uint8 (y, x) of one of `run`'s results: of the highest score, the first of equals."""
        return highest(self.planes(result, size))


def planes_at(logits, size):
    """Yield each class's plane of logits (h, w, C), resized bilinearly to `size` (y, x)."""
    for c in range(logits.shape[-1]):
        yield cv2.resize(np.ascontiguousarray(logits[..., c]), size[::-1])


def classes_at(logits, size):
    """Return the class map uint8 (y, x) of logits (h, w, C) resized bilinearly to `size` (y, x)."""
    return highest(planes_at(logits, size))


def highest(planes):
    """Return the index, uint8 (y, x), of the plane that is highest at each pixel, the first of equal ones."""
    planes = iter(planes)
    best = np.array(next(planes))
    classes = np.zeros(best.shape, np.uint8)
    # A running maximum over planes: several times quicker than argmax over a short last axis.
    for c, plane in enumerate(planes, start=1):
        higher = cv2.compare(plane, best, cv2.CMP_GT)
        higher &= c  # 255 becomes c, which is above all classes before
        np.maximum(classes, higher, out=classes)
        cv2.max(plane, best, dst=best)
    return classes
