"""What stands on the street: trees, poles, signs and unlabelled clutter; the own bonnet.

Each object is drawn at street position (x, z); `light` scales its brightness.
"""

import cv2
import numpy as np

from segnet_hpu.samples import materials
from segnet_hpu.samples.canvas import POLE, SIGN, TREE, VOID, Canvas, Mask, Point
from segnet_hpu.samples.materials import pick
from segnet_hpu.samples.shapes import bar, disc, flat


def tree(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """A trunk and a crown of leaf clumps, or bare branches."""
    height = rng.uniform(4, 12)
    bark = pick(rng, materials.BARK) * light
    trunk = rng.uniform(0.15, 0.45)
    fork = height * rng.uniform(0.25, 0.45)
    bar(canvas, x, z, (0, 0), (rng.uniform(-0.3, 0.3), fork * 1.3), trunk, bark, TREE)
    if rng.random() < 0.25:
        _branches(canvas, rng, x, z, (0, fork), height - fork, trunk * 0.6, bark, 4)
        return
    colour = pick(rng, materials.LEAVES) * light
    _crown(canvas, rng, x, z, fork, height, colour)


def _branches(canvas: Canvas, rng: np.random.Generator, x: float, z: float, start: Point, length: float,
              width: float, colour: np.ndarray, generations: int) -> None:
    for _ in range(3):
        end = (start[0] + rng.uniform(-0.45, 0.45) * length, start[1] + rng.uniform(0.3, 0.6) * length)
        bar(canvas, x, z, start, end, max(width, 0.03), colour, TREE)
        if generations > 1:
            _branches(canvas, rng, x, z, end, length * 0.6, width * 0.6, colour, generations - 1)


def _crown(canvas: Canvas, rng: np.random.Generator, x: float, z: float, fork: float, height: float,
           colour: np.ndarray) -> None:
    """Clumps of mottled leaves, brighter above; sky shows through some holes."""
    grain, shift = canvas.grain, rng.integers(0, 400)
    spread = (height - fork) * rng.uniform(0.35, 0.6)
    clumps = [(rng.uniform(-1, 1) * spread, rng.uniform(fork + 0.3, height)) for _ in range(14)]
    radii = rng.uniform(0.25, 0.55, 14) * spread
    left = min(c[0] - r for c, r in zip(clumps, radii, strict=True))
    right = max(c[0] + r for c, r in zip(clumps, radii, strict=True))
    top = max(c[1] + r for c, r in zip(clumps, radii, strict=True))

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        dx = s + left
        ragged = 1 + 0.5 * grain.at(grain.rough, s * 45 + shift, y * 45)
        inside = np.zeros(np.broadcast_shapes(dx.shape, y.shape), bool)
        for (cx, cy), r in zip(clumps, radii, strict=True):
            inside |= (dx - cx) ** 2 + (y - cy) ** 2 < r * r * ragged
        leaves = grain.surface(s + shift, y, fine=0.3, rough=0.55)
        shade = 0.55 + 0.6 * np.clip((y - fork) / (height - fork), 0, 1)[..., None]
        holes = grain.at(grain.rough, s * 30 + shift, y * 30 + 77) > 0.42
        return colour * leaves * shade, inside, ~holes
    canvas.wall((x + left, z), (x + right, z), top, paint, TREE, bottom=fork * 0.7)


def pole(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """A lamp post, a plain post or a bollard."""
    colour, width = pick(rng, materials.METAL) * light, rng.uniform(0.09, 0.22)
    height = rng.choice((0.9, 3.0, 6.0, 8.0))
    bar(canvas, x, z, (0, 0), (0, height), width, colour, POLE)
    if height > 5:
        reach = -np.sign(x) * rng.uniform(0.6, 1.8)
        bar(canvas, x, z, (0, height), (reach, height + 0.2), width * 0.7, colour, POLE)
        bar(canvas, x, z, (reach, height + 0.2), (reach * 1.3, height + 0.2), 0.16, colour * 1.3, POLE)


def sign(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """A traffic sign, a text board or a traffic light on its post."""
    metal = pick(rng, materials.METAL) * light
    height = rng.uniform(2.1, 3.2)
    bar(canvas, x, z, (0, 0), (0, height), 0.09, metal, POLE)
    face, rim = pick(rng, materials.SIGNS) * light, pick(rng, materials.SIGNS) * light
    kind, r = rng.integers(4), rng.uniform(0.3, 0.5)
    if kind == 0:
        disc(canvas, x, z, (0, height), r, rim, SIGN)
        disc(canvas, x, z, (0, height), r * 0.75, face, SIGN)
    elif kind == 1:
        for scale, colour in ((1.2, rim), (0.8, face)):
            points = [(-r * scale, height - r * scale * 0.6), (r * scale, height - r * scale * 0.6),
                      (0, height + r * scale * 1.1)]
            flat(canvas, x, z, points, colour, SIGN)
    elif kind == 2:
        w, h = rng.uniform(0.3, 0.9), rng.uniform(0.25, 0.6)
        for scale, colour in ((1.0, rim), (0.85, face)):
            bar(canvas, x, z, (-w * scale, height), (w * scale, height), 2 * h * scale, colour, SIGN)
        for line in (-0.4, 0.0, 0.4):
            bar(canvas, x, z, (-w * 0.7, height + h * line), (w * 0.5, height + h * line), h * 0.2, rim, SIGN)
    else:
        bar(canvas, x, z, (0, height), (0, height + 1), 0.38, np.array((30, 32, 34)) * light, SIGN)
        lit = rng.integers(3)
        for i, glow in enumerate(((50, 230, 120), (240, 180, 60), (240, 50, 40))):
            glow = glow if i == lit else (38, 36, 34)
            disc(canvas, x, z, (0, height + 0.2 + 0.3 * i), 0.12, glow, SIGN)


def clutter(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """Something without a class of its own: a bin, boxes or a dog."""
    colour = pick(rng, materials.CLOTH + materials.PAINT) * light
    w, h = rng.uniform(0.25, 0.6), rng.uniform(0.5, 1.2)
    if rng.random() < 0.3:
        bar(canvas, x, z, (-0.3, 0.4), (0.3, 0.42), 0.22, colour, VOID)
        disc(canvas, x, z, (0.38, 0.55), 0.12, colour, VOID)
        for leg in (-0.25, 0.25):
            bar(canvas, x, z, (leg, 0.4), (leg, 0.0), 0.08, colour * 0.8, VOID)
        return
    flat(canvas, x, z, [(-w, 0), (w, 0), (w * 1.1, h), (-w * 1.1, h)], colour, VOID)
    bar(canvas, x, z, (-w * 1.15, h), (w * 1.15, h), 0.08, colour * 0.7, VOID)


def bonnet(canvas: Canvas, rng: np.random.Generator) -> None:
    """The own car's bonnet at the bottom edge."""
    height, width = canvas.label.shape
    middle = (int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(1.0, 1.03)))
    axes = (int(width * rng.uniform(0.45, 0.9)), int(height * rng.uniform(0.04, 0.14)))
    mask = np.zeros_like(canvas.label)
    cv2.ellipse(mask, middle, axes, 0, 180, 360, 1, -1)
    rows = np.arange(height)[:, None, None] / height
    shine = 0.7 + 0.6 * (1 - rows) * 8
    inside = mask > 0
    canvas.image[inside] = np.broadcast_to(pick(rng, materials.PAINT) * shine, canvas.image.shape)[inside]
    canvas.label[inside] = VOID
    canvas.depth[inside] = 0
