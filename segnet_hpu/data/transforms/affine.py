"""Mirroring, zoom, shift and rotation."""

from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.data.transforms import Pair, degrees, geometric, two_numbers

if TYPE_CHECKING:
    import numpy as np


def zoom_range(value: Any) -> Pair:
    """two numbers, 0 < lowest <= highest, such as 0.5:2"""
    lowest, highest = two_numbers(value)
    if not 0 < lowest <= highest:
        raise ValueError("out of range")
    return lowest, highest


@geometric.register("affine", order=10)
def affine(rng: "np.random.Generator", size: tuple[int, int], *,
           flip: Annotated[float, Option("probability of a mirror image", minimum=0, maximum=1)] = 0.0,
           vertical_flip: Annotated[float, Option("probability of an image upside down", minimum=0, maximum=1)] = 0.0,
           scale: Annotated[Pair, Option("lowest and highest zoom", parse=zoom_range)] = (1.0, 1.0),
           shift: Annotated[float, Option("largest shift, a fraction of the side", minimum=0, maximum=1)] = 0.0,
           rotate: Annotated[float, Option("largest angle, degrees", parse=degrees)] = 0.0) -> "np.ndarray | None":
    """Mirror, zoom, shift and turn about the middle.

    The zoom is log-uniform. Above 1 a random part of the image is cut out, below 1 the image shrinks to a random
    place and what is around it is ignored. Draws as many numbers whatever the options are.
    """
    import numpy as np

    sides = np.array([size[1], size[0]], float)
    mirror = np.where(rng.random(2) < (flip, vertical_flip), -1.0, 1.0)
    zoom = np.exp(rng.uniform(*np.log(scale)))
    angle = np.deg2rad(rng.uniform(-rotate, rotate))
    # The room that a zoom leaves is where the window, or the shrunken image, may lie.
    room = abs(zoom - 1) / 2 + shift
    move = rng.uniform(-room, room, 2) * sides
    if (mirror > 0).all() and zoom == 1 and angle == 0 and not move.any():
        return None
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.eye(3)
    matrix[:2, :2] = zoom * rotation * mirror
    matrix[:2, 2] = sides / 2 + move - matrix[:2, :2] @ (sides / 2)
    return matrix
