"""Sky, road, pavement, verges and the shadows on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segnet_hpu.samples import materials
from segnet_hpu.samples.canvas import PAVEMENT, ROAD, SKY, TREE, Canvas
from segnet_hpu.samples.materials import Grain, pick
from segnet_hpu.samples.weather import Weather

FAR = 130.0  # metres to the end of the street


@dataclass(frozen=True)
class Street:
    """Edges of the road and of the property lines in metres from the camera; side roads as (side, z0, z1)."""

    left: float
    right: float
    left_line: float
    right_line: float
    side_roads: tuple[tuple[int, float, float], ...]

    @classmethod
    def random(cls, rng: np.random.Generator) -> Street:
        """Draw the widths and up to two side roads."""
        left, right = -rng.uniform(2.2, 7), rng.uniform(2.2, 7)
        starts = rng.uniform(8, 60, rng.integers(0, 3))
        sides = [(rng.choice((-1, 1)), z, z + rng.uniform(5, 9)) for z in starts]
        return cls(left, right, left - rng.uniform(1.2, 5), right + rng.uniform(1.2, 5), tuple(sides))

    def line(self, side: int) -> float:
        """x of the property line on a side (-1 or 1)."""
        return self.left_line if side < 0 else self.right_line

    def kerb(self, side: int) -> float:
        """x of the road's edge on a side (-1 or 1)."""
        return self.left if side < 0 else self.right


def sky(canvas: Canvas, rng: np.random.Generator, weather: Weather) -> None:
    """A gradient with clouds, seen above the horizon."""
    camera, grain = canvas.camera, canvas.grain
    rows = np.arange(camera.height)[:, None] / camera.horizon
    columns = np.arange(camera.width)[None] / camera.width
    clouds = np.clip(grain.at(grain.rough, rows * 150, columns * 90) * 2 + weather.cloud, 0, 1)[..., None]
    blue = weather.zenith + (weather.haze - weather.zenith) * np.clip(rows, 0, 1)[..., None]
    shade = 1 + 0.12 * grain.at(grain.rough, rows * 220 + 99, columns * 160)[..., None]
    canvas.image[:] = blue * (1 - clouds) + weather.haze * shade * clouds
    canvas.label[:] = SKY
    canvas.depth[:] = 0  # haze is in the sky's colour already


def ground(canvas: Canvas, rng: np.random.Generator, street: Street, weather: Weather) -> None:
    """Road with markings and patches, kerbs, pavement, verges; shadows of the house rows."""
    first, x, z = canvas.camera.ground()
    grain = canvas.grain
    side_road = np.zeros(x.shape, bool)
    for side, z0, z1 in street.side_roads:
        side_road |= (x * side > 0) & (z > z0) & (z < z1)
    road = side_road | ((x > street.left) & (x < street.right))
    paved = ~road & (x > street.left_line) & (x < street.right_line)

    grass = ~road & ~paved
    if rng.random() < 0.25:  # a strip of grass along the kerb
        grass |= ~road & (x > street.left - 1) & (x < street.right + 1)
    if rng.random() < 0.4:  # paved yards
        grass &= paved

    asphalt, paving, green = (pick(rng, p) for p in (materials.ASPHALT, materials.PAVING, materials.LEAVES))
    surface = grain.surface(x, z, fine=0.10, rough=0.16)
    image = asphalt * surface * _wear(grain, rng, x, z)
    image = np.where(_markings(rng, street, grain, x, z)[..., None], (205, 203, 195) * surface, image)
    slab = rng.uniform(0.4, 1.2)
    joints = 1 - rng.uniform(0, 0.25) * ((x % slab < 0.05) | (z % slab < 0.05))[..., None]
    image = np.where(road[..., None], image, paving * surface * joints)
    kerb = ~road & ((abs(x - street.left + 0.09) < 0.09) | (abs(x - street.right - 0.09) < 0.09))
    image = np.where(kerb[..., None], paving * rng.uniform(0.8, 1.35), image)
    image = np.where(grass[..., None], green * grain.surface(x, z, fine=0.3, rough=0.35), image)
    image = image * _row_shadow(grain, rng, street, weather, x, z)

    canvas.image[first:] = image
    canvas.label[first:] = np.where(road, ROAD, np.where(grass, TREE, PAVEMENT))
    canvas.depth[first:] = z


def _wear(grain: Grain, rng: np.random.Generator, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Brightness factor of tyre tracks, patches of newer asphalt and cracks."""
    factor = 1 - 0.10 * (abs(x % 1.7 - 0.85) < 0.3)
    for _ in range(rng.integers(0, 5)):
        x0, z0 = rng.uniform(-5, 5), rng.uniform(3, 40)
        patch = (abs(x - x0) < rng.uniform(0.4, 2)) & (abs(z - z0) < rng.uniform(0.5, 6))
        factor = np.where(patch, rng.uniform(0.7, 1.2), factor)
    cracks = abs(grain.at(grain.rough, x * 25, z * 25)) < 0.012
    return (factor * (1 - 0.4 * cracks))[..., None]


def _markings(rng: np.random.Generator, street: Street, grain: Grain, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Mask of lane lines, edge lines and at times a crossing, partly worn off."""
    middle = (street.left + street.right) / 2 + rng.uniform(-0.8, 0.8)
    period = rng.uniform(4, 9)
    lines = (abs(x - middle) < 0.07) & (z % period < period * rng.uniform(0.35, 0.8))
    if rng.random() < 0.6:
        lines |= (abs(x - street.left - 0.3) < 0.06) | (abs(x - street.right + 0.3) < 0.06)
    if rng.random() < 0.35:
        start = rng.uniform(5, 25)
        lines |= (z > start) & (z < start + 3) & (x % 1.1 < 0.55)
    return lines & (grain.at(grain.fine, x * 12, z * 12) > rng.uniform(-1.2, -0.2))


def _row_shadow(grain: Grain, rng: np.random.Generator, street: Street, weather: Weather, x: np.ndarray,
                z: np.ndarray) -> np.ndarray:
    """Brightness factor of the shadow that one house row casts, with a skyline's steps."""
    reach = weather.sun_side * (street.line(weather.sun_side) - x)
    steps = 1 + grain.at(grain.fine, z / 9 + rng.integers(400), 0 * z)
    shadow = (reach < rng.uniform(1, 7) * steps) & (reach > -30)
    return 1 - weather.sun * 0.5 * shadow[..., None]


def cast_shadow(canvas: Canvas, weather: Weather, x: float, z: float, width: float, height: float) -> None:
    """Darken the ground where something `height` metres tall at (x, z) takes the light."""
    first, gx, gz = canvas.camera.ground()
    near = np.flatnonzero(abs(gz[:, 0] - z) < width)
    if not len(near):
        return
    rows = slice(near[0], near[-1] + 1)
    gx, gz = gx[rows], gz[rows]
    slope = -weather.sun_side * weather.sun_slope
    contact = ((gx - x) / (width * 0.6)) ** 2 + ((gz - z) / (width * 0.5)) ** 2 < 1
    along = (gx - x) * np.sign(slope)
    sunlit = (along > 0) & (along < height * abs(slope)) & (abs(gz - z) < width * 0.35)
    factor = np.where(contact, 0.55, np.where(sunlit, 1 - 0.45 * weather.sun, 1))
    window = slice(first + rows.start, first + rows.stop)
    on_ground = np.isin(canvas.label[window], (ROAD, PAVEMENT, TREE))
    canvas.image[window] *= np.where(on_ground, factor, 1)[..., None]
