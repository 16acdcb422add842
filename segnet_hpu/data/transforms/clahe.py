"""Local histogram equalisation."""

from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import photometric

if TYPE_CHECKING:
    import numpy as np


@photometric.register("clahe", order=10)
def clahe(image: "np.ndarray", rng: "np.random.Generator", *, clahe: Annotated[
        float, Option("probability of local histogram equalisation", minimum=0, maximum=1)] = 0.0) -> None:
    """Equalise some of the images."""
    if rng.random() < clahe:
        equalise(image)


def equalise(image: "np.ndarray") -> "np.ndarray":
    """Equalise the lightness of `image`, uint8 (H, W, 3) RGB, tile by tile, in place; returns it.

    CLAHE (Zuiderveld, Graphics Gems IV, 1994) on L of LAB, clip limit 1.0, 8x8 tiles.
    """
    import cv2

    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lightness = cv2.createCLAHE(clipLimit=1.0, tileGridSize=(8, 8)).apply(lab[:, :, 0])
    cv2.insertChannel(lightness, lab, 0)
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB, dst=image)
