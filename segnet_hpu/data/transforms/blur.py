"""Gaussian blur."""

from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import Pair, photometric, probability_and_sigma

if TYPE_CHECKING:
    import numpy as np


def _blur(value: Any) -> Pair:
    """two numbers, a probability from 0 to 1 and a largest sigma of at least 0, such as 0.2:1.5"""
    return probability_and_sigma("blur", value)


@photometric.register("blur", order=40)
def blur(image: "np.ndarray", rng: "np.random.Generator", *, blur: Annotated[
        Pair, Option("probability, and largest sigma in pixels", parse=_blur)] = (0.0, 0.0)) -> None:
    """Blur some of the images."""
    import cv2

    probability, largest = blur
    if probability and rng.random() < probability:
        cv2.GaussianBlur(image, (0, 0), max(rng.uniform(0, largest), 0.1), dst=image)
