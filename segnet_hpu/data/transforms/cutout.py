"""Random erasing."""

from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.constants import VOID
from segnet_hpu.data.transforms import Pair, photometric, two_numbers

if TYPE_CHECKING:
    import numpy as np


def _cutout(value: Any) -> Pair:
    """two numbers from 0 to 1, such as 0.5:0.3"""
    probability, largest = two_numbers(value)
    if not (0 <= probability <= 1 and 0 <= largest <= 1):
        raise ValueError("out of range")
    return probability, largest


@photometric.register("cutout", order=60)
def cutout(image: "np.ndarray", label: "np.ndarray | None", rng: "np.random.Generator", *,
           cutout: Annotated[Pair, Option("probability, and largest side, a fraction of the image's",
                                          parse=_cutout)] = (0.0, 0.0),
           cutout_void: Annotated[bool, Option("what is cut out is void; else its labels stay")] = False) -> None:
    """Fill a rectangle with noise in some of the images (Zhong et al., Random Erasing, AAAI 2020)."""
    import numpy as np

    probability, largest = cutout
    if probability and rng.random() < probability:
        sides = rng.uniform(0, largest, 2)
        start = rng.random(2) * (1 - sides)
        area = _part(image, start, sides)
        area[...] = rng.integers(0, 256, area.shape, np.uint8)
        if cutout_void and label is not None:
            _part(label, start, sides)[...] = VOID


def _part(array: "np.ndarray", start: "np.ndarray", sides: "np.ndarray") -> "np.ndarray":
    """The part of (H, W, ...) that begins at `start` and has `sides`, both (y, x), fractions of H and W."""
    (top, left), (bottom, right) = (((ends * array.shape[:2]).round().astype(int)) for ends in (start, start + sides))
    return array[top:bottom, left:right]
