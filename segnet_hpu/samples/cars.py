"""Cars and vans as boxes with a profile, wheels, windows and lights."""

import numpy as np

from segnet_hpu.samples import materials
from segnet_hpu.samples.canvas import CAR, Canvas, Mask, Paint
from segnet_hpu.samples.materials import Grain, pick

GLASS = np.array((46.0, 52, 58))
TYRE = np.array((28.0, 28, 30))


def car(canvas: Canvas, rng: np.random.Generator, x: float, z: float, light: float, night: bool,
        oncoming: bool) -> None:
    """A vehicle along the street whose nearest end is at (x, z); its front faces the camera when oncoming."""
    van = rng.random() < 0.2
    length, width = (rng.uniform(4.6, 5.6), 2.0) if van else (rng.uniform(3.6, 4.7), rng.uniform(1.65, 1.85))
    height = rng.uniform(1.9, 2.5) if van else rng.uniform(1.38, 1.6)
    waist = height * (0.55 if van else 0.6)
    # How far the windscreen and the rear window stand back from the two ends.
    hood, boot = (0.6, 0.05) if van else (rng.uniform(0.9, 1.25), rng.choice((0.1, 0.75)))
    near_end, far_end = (hood, boot) if oncoming else (boot, hood)
    colour = pick(rng, materials.PAINT) * light
    half = width / 2
    grain, glass = canvas.grain, GLASS * rng.uniform(0.8, 2.2)

    side = x - half if x > 0 else x + half
    canvas.wall((side, z), (side, z + length), height,
                _flank(grain, colour * 0.85, glass, length, height, waist, near_end, far_end), CAR)
    # Roof and bonnet as seen from above, then the two faces towards the camera.
    roof = z + near_end + 0.4
    _quad(canvas, x, (half, height, roof), (half, height, z + length - far_end - 0.4), colour * 1.15)
    _quad(canvas, x, (half, waist, z + 0.05), (half, waist, z + near_end), colour * 1.1)
    _quad(canvas, x, (half, waist, z + near_end), (half, height, roof), colour * 0.95)
    _quad(canvas, x, (half * 0.86, waist + 0.06, z + near_end), (half * 0.84, height - 0.1, roof), glass)
    face = _face(rng, colour, light, width, waist, oncoming, night)
    canvas.wall((x - half, z), (x + half, z), waist, face, CAR)


def _quad(canvas: Canvas, x: float, near: tuple[float, float, float], far: tuple[float, float, float],
          colour: np.ndarray) -> None:
    """Fill a symmetric plane between two edges, each (half width, y, z)."""
    (a, ya, za), (b, yb, zb) = near, far
    canvas.fill([(x - a, ya, za), (x + a, ya, za), (x + b, yb, zb), (x - b, yb, zb)], colour, CAR)


def _flank(grain: Grain, colour: np.ndarray, glass: np.ndarray, length: float, height: float, waist: float,
           near_end: float, far_end: float) -> Paint:
    """Paint of a side: the profile's outline, side windows, wheels and a door line."""
    wheel = 0.31

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        slope = (height - y) / (height - waist)  # 0 at the roof, 1 at the waist
        cabin = (s > near_end + 0.4 * (1 - slope)) & (s < length - far_end - 0.4 * (1 - slope))
        body = (y <= waist) & (y > 0.22) | (y > waist) & cabin
        from_hub = np.minimum((s - 0.8) ** 2, (s - length + 0.8) ** 2) + (y - wheel) ** 2
        tyres = from_hub < wheel ** 2
        panes = cabin & (y > waist + 0.03) & (y < height - 0.1) & (abs(s - length * 0.52) > 0.06)
        shade = (0.75 + 0.3 * y / height - 0.3 * (abs(s - length * 0.52) < 0.02))[..., None]
        out = colour * shade * grain.surface(s, y, 0.02, 0.05)
        out = np.where(panes[..., None], glass * grain.surface(s, y, 0.1, 0.5), out)
        rim = from_hub < (wheel * 0.6) ** 2
        out = np.where(tyres[..., None], np.where(rim[..., None], (120, 122, 125), TYRE), out)
        return out, body | tyres, np.True_
    return paint


def _face(rng: np.random.Generator, colour: np.ndarray, light: float, width: float, waist: float, oncoming: bool,
          night: bool) -> Paint:
    """Paint of the front or the back: lights, number plate, bumper and the tyres below."""
    lamp = np.array((250, 245, 225) if oncoming else (190, 25, 25)) * (1.0 if night else light * 0.9)
    plate = pick(rng, [(225, 225, 215), (225, 200, 70)]) * light
    lamp_height = waist * rng.uniform(0.62, 0.8)

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        dx = abs(s - width / 2)
        shade = (0.8 + 0.3 * y / waist)[..., None] * np.where(y < 0.42, 0.7, 1.0)[..., None]
        out = colour * shade * np.ones_like(dx)[..., None]
        out = np.where(((dx > width * 0.32) & (abs(y - lamp_height) < 0.09))[..., None], lamp, out)
        out = np.where(((dx < 0.26) & (abs(y - 0.5) < 0.06))[..., None], plate, out)
        if oncoming:
            out = np.where(((dx < width * 0.26) & (abs(y - lamp_height) < 0.06))[..., None], TYRE, out)
        tyres = (y < 0.24) & (dx > width / 2 - 0.24)
        out = np.where(tyres[..., None], TYRE, out)
        return out, (y > 0.2) | tyres, np.True_
    return paint
