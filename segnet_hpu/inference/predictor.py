"""From images of any size to class maps of their own size."""

import cv2
import numpy as np

from segnet_hpu.inference.inputs import input_transform
from segnet_hpu.inference.probability import probability_of


class Predictor:
    """Runs a model in batches of one static shape.

    model: raw RGB (B, H, W, 3) -> logits (B, h, w, C). batch_size: images a forward pass.
    """

    def __init__(self, model, batch_size=1):
        self.model, self.batch_size = model, batch_size
        self.resize = input_transform(model)

    def predict(self, images):
        """Return class maps uint8 (y, x), each of the size of its image.

        images: at most batch_size uint8 RGB arrays (y, x, 3), sizes may differ.
        """
        logits = self.logits([self.resize(image) for image in images])
        return [classes_at(one, image.shape[:2]) for one, image in zip(logits, images, strict=True)]

    def logits(self, inputs):
        """Return logits (N, h, w, C), float32, of N <= batch_size images of the network's size."""
        batch = np.zeros((self.batch_size, *inputs[0].shape), np.float32)
        batch[:len(inputs)] = inputs
        return np.asarray(self.model.predict_on_batch(batch))[:len(inputs)]

    def probability(self, logits, size, chosen):
        """Return the probability of the class `chosen`, float32 (y, x) of `size`, of one of `logits`'s results."""
        return probability_of(chosen, planes_at(logits, size))


def planes_at(logits, size):
    """Yield each class's plane of logits (h, w, C), resized bilinearly to `size` (y, x)."""
    for c in range(logits.shape[-1]):
        yield cv2.resize(np.ascontiguousarray(logits[..., c]), size[::-1])


def classes_at(logits, size):
    """Return the class map uint8 (y, x) of logits (h, w, C) resized bilinearly to `size` (y, x)."""
    best = cv2.resize(np.ascontiguousarray(logits[..., 0]), size[::-1])
    classes = np.zeros(size, np.uint8)
    # A running maximum over planes is several times quicker than argmax over a short last axis.
    for c in range(1, logits.shape[-1]):
        plane = cv2.resize(np.ascontiguousarray(logits[..., c]), size[::-1])
        higher = plane > best
        np.maximum(best, plane, out=best)
        classes[higher] = c
    return classes
