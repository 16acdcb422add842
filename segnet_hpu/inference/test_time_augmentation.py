"""Test-time augmentation: the mean of what a network says of one picture at several scales and mirrored."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from segnet_hpu.inference.predictor import Predictor, planes_at
from segnet_hpu.models.resizing import resized_model, scaled_size
from segnet_hpu.models.trained_model import TrainedModel

if TYPE_CHECKING:
    import keras


class AugmentedPredictor(Predictor):
    """A Predictor whose scores are probabilities: the mean of the softmax of every variant.

    Every variant's logits are resized to the size that is asked for before the softmax. model, batch_size:
    as of Predictor. scales: factors of the network's input size; each is brought to the nearest size that
    the network takes. flip: every scale also with its input mirrored left to right, and its logits mirrored back.
    """

    def __init__(self, model: "keras.Model | TrainedModel", batch_size: int = 1, scales: Sequence[float] = (1.0,),
                 flip: bool = False) -> None:
        self.batch_size, self.flip = batch_size, flip
        trained = TrainedModel.of(model)
        self.size = trained.network.input_shape[1:3]
        sizes = dict.fromkeys(scaled_size(trained.network, scale) for scale in scales)
        self.predictors = [Predictor(replace(trained, network=resized_model(trained.network, size)), batch_size)
                           for size in sizes]

    def prepare(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the image, uint8 (y, x, 3), at the size of every scale."""
        return [predictor.prepare(image) for predictor in self.predictors]

    def run(self, inputs: Sequence[list[np.ndarray]]) -> list[tuple[np.ndarray, ...]]:
        """Return, for each of at most batch_size inputs, the logits (h, w, C) of its variants."""
        variants = []
        for predictor, images in zip(self.predictors, zip(*inputs, strict=True), strict=True):
            variants.append(predictor.run(images))
            if self.flip:
                variants.append(predictor.run([image[:, ::-1] for image in images])[:, :, ::-1])
        return list(zip(*variants, strict=True))

    def planes(self, result: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
        """Return the probabilities float32 (C, y, x); two such arrays are held at a time."""
        first, *others = result
        total = softmax_planes(first, size)
        for logits in others:
            total += softmax_planes(logits, size)
        total /= len(result)
        return total

    def probability(self, result: Sequence[np.ndarray], size: tuple[int, int], class_id: int) -> np.ndarray:
        """Return the probability of a class, float32 (y, x)."""
        return self.planes(result, size)[class_id]


def softmax_planes(logits: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the softmax over the classes, float32 (C, y, x), of logits (h, w, C) resized to `size` (y, x)."""
    planes = np.empty((logits.shape[-1], *size), np.float32)
    for plane, resized in zip(planes, planes_at(logits, size), strict=True):
        plane[:] = resized
    planes -= planes.max(0)
    np.exp(planes, out=planes)
    planes /= planes.sum(0)
    return planes
