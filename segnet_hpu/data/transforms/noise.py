"""Gaussian noise."""

from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import Pair, photometric, probability_and_sigma

if TYPE_CHECKING:
    import numpy as np


def _noise(value: Any) -> Pair:
    """two numbers, a probability from 0 to 1 and a largest sigma of at least 0, such as 0.2:10"""
    return probability_and_sigma("noise", value)


@photometric.register("noise", order=50)
def noise(image: "np.ndarray", rng: "np.random.Generator", *, noise: Annotated[
        Pair, Option("probability, and largest sigma in grey levels", parse=_noise)] = (0.0, 0.0)) -> None:
    """Add noise, another value for each pixel and channel, to some of the images."""
    import cv2
    import numpy as np

    probability, largest = noise
    if probability and rng.random() < probability:
        added = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, largest))
        cv2.add(image, added, dst=image, dtype=cv2.CV_8U)
