"""Flat shapes that face the camera at street position (x, z); outlines are (dx, y) metres."""

from collections.abc import Sequence

from segnet_hpu.samples.canvas import Canvas, Point
from segnet_hpu.samples.materials import Colour


def flat(canvas: Canvas, x: float, z: float, outline: Sequence[Point], colour: Colour,
         class_id: int) -> None:
    """Fill an outline of (dx, y) metres that faces the camera."""
    canvas.fill([(x + dx, y, z) for dx, y in outline], colour, class_id)


def bar(canvas: Canvas, x: float, z: float, start: Point, end: Point, width: float,
        colour: Colour, class_id: int) -> None:
    """Fill a straight limb from start to end, both (dx, y) metres."""
    (ax, ay), (bx, by) = start, end
    length = max(((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5, 1e-6)
    nx, ny = (ay - by) / length * width / 2, (bx - ax) / length * width / 2
    flat(canvas, x, z, [(ax + nx, ay + ny), (bx + nx, by + ny), (bx - nx, by - ny), (ax - nx, ay - ny)],
         colour, class_id)


# A circle's corners, written out: sine and cosine differ in the last bit between machines.
CIRCLE = [(1, 0), (0.924, 0.383), (0.707, 0.707), (0.383, 0.924)]
CIRCLE += [(-b, a) for a, b in CIRCLE]
CIRCLE += [(-a, -b) for a, b in CIRCLE]


def disc(canvas: Canvas, x: float, z: float, centre: Point, radius: float, colour: Colour,
         class_id: int, squeeze: float = 1.0) -> None:
    """Fill a circle, or an ellipse `squeeze` times as wide."""
    outline = [(centre[0] + radius * squeeze * a, centre[1] + radius * b) for a, b in CIRCLE]
    flat(canvas, x, z, outline, colour, class_id)
