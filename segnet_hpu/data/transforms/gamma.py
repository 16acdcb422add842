"""Gamma correction."""

import math
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import photometric

if TYPE_CHECKING:
    import numpy as np


@photometric.register("gamma", order=35)
def gamma(image: "np.ndarray", rng: "np.random.Generator", *, gamma: Annotated[
        float, Option("largest exponent, less 1: 0.25 is from 1 / 1.25 to 1.25", minimum=0)] = 0.0) -> None:
    """Raise all values, as fractions of 255, to one power, log-uniform from 1 / (1 + gamma) to 1 + gamma."""
    import cv2
    import numpy as np

    largest = math.log1p(gamma)
    values = np.linspace(0, 1, 256) ** math.exp(rng.uniform(-largest, largest))
    cv2.LUT(image, np.rint(255 * values).astype(np.uint8), dst=image)
