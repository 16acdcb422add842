"""Changes of colour that are one affine map of RGB, which is cheaper than a way through HSV, and than a table."""

from functools import cache
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import degrees, photometric

if TYPE_CHECKING:
    import numpy as np


@photometric.register("colour", order=20)
def colour(image: "np.ndarray", rng: "np.random.Generator", *,
           brightness: Annotated[float, Option("largest change, a fraction of 255", minimum=0, maximum=1)] = 0.0,
           contrast: Annotated[float, Option("largest change of the factor 1", minimum=0, maximum=1)] = 0.0,
           hue: Annotated[float, Option("largest turn of the colour circle, degrees", parse=degrees)] = 0.0,
           saturation: Annotated[float, Option("largest change of the factor 1", minimum=0, maximum=1)] = 0.0,
           ) -> None:
    """Change brightness, contrast, hue and saturation."""
    recolour(image, brightness=rng.uniform(-brightness, brightness),
             contrast=1 + rng.uniform(-contrast, contrast), hue=rng.uniform(-hue, hue),
             saturation=1 + rng.uniform(-saturation, saturation))


@photometric.register("luma", order=30)
def luma(image: "np.ndarray", rng: "np.random.Generator", *, luma: Annotated[
        float, Option("largest change of the factor 1 of Y of YUV", minimum=0, maximum=1)] = 0.0) -> None:
    """Change Y of YUV and keep U and V."""
    recolour(image, luma=rng.uniform(1 - luma, 1 + luma))


def recolour(image: "np.ndarray", brightness: float = 0.0, contrast: float = 1.0, hue: float = 0.0,
             saturation: float = 1.0, luma: float = 1.0) -> "np.ndarray":
    """Change `image`, uint8 (H, W, 3) RGB, in place; values are clipped to 0..255. Returns it.

    brightness: added, as a fraction of 255. contrast: factor about mid-grey.
    hue: degrees. saturation: factor. luma: factor of Y of YUV, with U and V kept.
    """
    import cv2
    import numpy as np

    offset = 127.5 * (1 - contrast) + 255 * brightness
    cos, sin = np.cos(np.deg2rad(hue)) * saturation, np.sin(np.deg2rad(hue)) * saturation
    turn = np.array([[luma, 0, 0], [0, cos, -sin], [0, sin, cos]])
    to_yiq, to_rgb = _yiq()
    matrix = np.column_stack([contrast * (to_rgb @ turn @ to_yiq), np.full(3, offset)])
    return cv2.transform(image, matrix, dst=image)


@cache
def _yiq() -> "tuple[np.ndarray, np.ndarray]":
    """The matrices from RGB to luma and two axes of colour (YIQ), and back.

    Turning the axes turns the hue, stretching them changes the saturation, and grey stays grey.
    """
    import numpy as np

    matrix = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
    return matrix, np.linalg.inv(matrix)
