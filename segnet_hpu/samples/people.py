"""Pedestrians and cyclists, each at street position (x, z); `light` scales the brightness."""

import numpy as np

from segnet_hpu.samples import materials
from segnet_hpu.samples.canvas import BICYCLIST, PEDESTRIAN, Canvas, Point
from segnet_hpu.samples.materials import pick
from segnet_hpu.samples.shapes import CIRCLE, bar, disc, flat


def pedestrian(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """A person who stands or walks, at times with a bag."""
    h = rng.uniform(1.5, 1.92)
    top, trousers, skin = (pick(rng, p) * light for p in (materials.CLOTH, materials.CLOTH, materials.SKIN))
    hair = pick(rng, materials.BARK) * light
    stride, w = rng.uniform(-0.28, 0.28), rng.uniform(0.19, 0.27)
    for foot in (-stride, stride):
        bar(canvas, x, z, (foot * 0.3, 0.5 * h), (foot, 0.02), 0.15, trousers, PEDESTRIAN)
        bar(canvas, x, z, (foot - 0.05, 0.03), (foot + 0.12, 0.03), 0.08, trousers * 0.5, PEDESTRIAN)
    if rng.random() < 0.3:  # a coat or skirt
        skirt = [(-w, 0.55 * h), (w, 0.55 * h), (w * 1.2, 0.3 * h), (-w * 1.2, 0.3 * h)]
        flat(canvas, x, z, skirt, top, PEDESTRIAN)
    trunk = [(-w, 0.82 * h), (w, 0.82 * h), (w * 0.8, 0.46 * h), (-w * 0.8, 0.46 * h)]
    flat(canvas, x, z, trunk, top, PEDESTRIAN)
    swing = rng.uniform(-0.2, 0.2)
    for side in (-1, 1):
        hand = (side * (w + 0.06 + swing), 0.48 * h)
        bar(canvas, x, z, (side * w, 0.8 * h), hand, 0.1, top * 0.85, PEDESTRIAN)
    if rng.random() < 0.35:
        bag = pick(rng, materials.CLOTH) * light
        bar(canvas, x, z, (w, 0.45 * h), (w + 0.1, 0.28 * h), 0.28, bag, PEDESTRIAN)
    bar(canvas, x, z, (0, 0.8 * h), (0, 0.87 * h), 0.1, skin, PEDESTRIAN)
    disc(canvas, x, z, (0, 0.925 * h), 0.075 * h, hair, PEDESTRIAN, squeeze=0.8)
    disc(canvas, x, z, (rng.uniform(-0.03, 0.03), 0.91 * h), 0.055 * h, skin, PEDESTRIAN, squeeze=0.8)


def bicyclist(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float) -> None:
    """A rider with the cycle, from the side or from behind."""
    frame = pick(rng, materials.PAINT) * light
    top, trousers, skin = (pick(rng, p) * light for p in (materials.CLOTH, materials.CLOTH, materials.SKIN))
    tyre, way = np.array((34, 34, 36)) * light, rng.choice((-1, 1))
    helmet = pick(rng, materials.SIGNS) * light

    def limb(start: Point, end: Point, width: float, colour: np.ndarray) -> None:
        bar(canvas, x, z, (start[0] * way, start[1]), (end[0] * way, end[1]), width, colour, BICYCLIST)

    if rng.random() < 0.5:  # from behind
        limb((0, 0), (0, 0.7), 0.07, tyre)
        for side in (-1, 1):
            limb((side * 0.1, 0.95), (side * 0.14, rng.uniform(0.15, 0.4)), 0.14, trousers)
            limb((side * 0.2, 1.4), (side * 0.28, 1.05), 0.1, top)
        flat(canvas, x, z, [(-0.2, 0.9), (0.2, 0.9), (0.25, 1.48), (-0.25, 1.48)], top, BICYCLIST)
        disc(canvas, x, z, (0, 1.65), 0.13, helmet, BICYCLIST, squeeze=0.85)
        return
    for hub in (-0.52, 0.52):
        ring = [(hub + 0.34 * a, 0.34 + 0.34 * b) for a, b in CIRCLE]
        for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
            limb(start, end, 0.05, tyre)
        limb((hub, 0.0), (hub, 0.68), 0.015, tyre * 1.8)
    crank, seat, bars = (-0.05, 0.32), (-0.2, 0.9), (0.4, 1.0)
    for start, end in ((crank, seat), (crank, bars), (seat, (0.36, 0.85)), ((-0.52, 0.34), crank),
                       ((0.52, 0.34), bars), ((-0.52, 0.34), seat)):
        limb(start, end, 0.05, frame)
    knee = (0.18, rng.uniform(0.6, 0.75))
    limb(seat, knee, 0.16, trousers)
    limb(knee, (0.0, rng.uniform(0.12, 0.35)), 0.12, trousers)
    limb((-0.2, 0.92), (0.12, 1.45), 0.3, top)
    limb((0.12, 1.38), bars, 0.09, top * 0.85)
    disc(canvas, x, z, (0.22 * way, 1.62), 0.13, skin, BICYCLIST)
    disc(canvas, x, z, (0.2 * way, 1.67), 0.13, helmet, BICYCLIST)
