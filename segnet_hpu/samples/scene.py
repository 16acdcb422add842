"""One street scene from a seed and an index."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from segnet_hpu.samples import facades, ground, objects, people
from segnet_hpu.samples.canvas import PAVEMENT, ROAD, Camera, Canvas
from segnet_hpu.samples.cars import car
from segnet_hpu.samples.ground import Street
from segnet_hpu.samples.materials import Grain
from segnet_hpu.samples.weather import Weather

Draw = Callable[[Canvas, np.random.Generator, float, float, Weather], None]  # at street position (x, z)


class Placed(NamedTuple):
    """What stands at street position (x, z). shadow: width and height in metres of what takes the light."""

    z: float
    x: float
    shadow: tuple[float, float]
    draw: Draw


def draw_scene(seed: int, index: int, height: int = 360, width: int = 480) -> tuple[np.ndarray, np.ndarray]:
    """Draw scene `index` of the endless set `seed`.

    Returns image (height, width, 3) uint8 RGB and label (height, width) uint8 with CamVid's class ids:
    0 sky, 1 building, 2 pole, 3 road, 4 pavement, 5 tree, 6 sign_symbol, 7 fence, 8 car, 9 pedestrian,
    10 bicyclist, 11 void. The same arguments give the same pixels.

    >>> image, label = draw_scene(seed=0, index=3, height=48, width=64)
    >>> image.shape, label.shape
    ((48, 64, 3), (48, 64))
    """
    rng = np.random.default_rng([seed, index])
    weather, street = Weather.random(rng), Street.random(rng)
    canvas = Canvas(Camera.random(rng, height, width), Grain(rng))

    ground.sky(canvas, rng, weather)
    ground.ground(canvas, rng, street, weather)
    _backdrop(canvas, rng, weather)
    for side in (-1, 1):
        _row(canvas, rng, street, weather, side)
    weather.wet_road(canvas, (ROAD, PAVEMENT), rng)
    placed = _parked(rng, street) + _traffic(rng, street) + _furniture(rng, street) + _people(rng, street)
    for z, x, shadow, draw in sorted(placed, key=lambda one: -one.z):
        ground.cast_shadow(canvas, weather, float(x), float(z), *shadow)
        draw(canvas, rng, float(x), float(z), weather)
    if rng.random() < 0.45:
        objects.bonnet(canvas, rng)
    return weather.photograph(canvas, rng), canvas.label


def _backdrop(canvas: Canvas, rng: np.random.Generator, weather: Weather) -> None:
    """What closes the street at its far end: houses and tree tops."""
    for z in (ground.FAR + 40, ground.FAR + 15):
        x = -220.0
        while x < 220:
            end = x + rng.uniform(8, 30)
            if rng.random() < 0.5:
                facades.building(canvas, rng, (x, z), (end, z), weather.light(0), weather.night)
            else:
                facades.hedge(canvas, rng, (x, z), (end, z), weather.light(0))
            x = end


def _row(canvas: Canvas, rng: np.random.Generator, street: Street, weather: Weather, side: int) -> None:
    """The houses, fences, hedges and gardens of one side, drawn from far to near."""
    line, light, lots, z = street.line(side), weather.light(side), [], rng.uniform(-6, 2)
    mostly_houses = rng.uniform(0.4, 1.0)
    while z < ground.FAR:
        end = z + rng.uniform(6, 18)
        opening = next((b for s, a, b in street.side_roads if s == side and a < end and b > z), None)
        if opening is None:
            lots.append((z, end, rng.random() < mostly_houses))
        z = end if opening is None else max(opening, end)
    for z, end, house in reversed(lots):
        near, far = max(z, 0.1), end
        setback = line + side * (rng.choice((0.0, rng.uniform(2, 7))))
        fenced = rng.random() < (0.35 if setback == line else 0.8)
        if house:
            facades.building(canvas, rng, (setback, near), (setback, far), light, weather.night)
        else:
            for depth in sorted(rng.uniform(near, far, rng.integers(0, 4)))[::-1]:
                objects.tree(canvas, rng, line + side * rng.uniform(2, 9), depth, light)
            if rng.random() < 0.5:
                facades.hedge(canvas, rng, (line + side, near), (line + side, far), light)
        if fenced and (not house or setback != line):
            facades.barrier(canvas, rng, (line, near), (line, far), light)


def _parked(rng: np.random.Generator, street: Street) -> list[Placed]:
    """Cars along the kerbs."""
    cars = []
    for side in (-1, 1):
        room = abs(street.kerb(side)) > 3.6
        z = rng.uniform(2.5, 14)
        while room and z < 70 and rng.random() < 0.8:
            facing = bool(rng.random() < 0.5)
            cars.append(Placed(z, street.kerb(side) - side * 1.0, (3.4, 1.5), _car(facing)))
            z += rng.uniform(5.5, 20)
    return cars


def _traffic(rng: np.random.Generator, street: Street) -> list[Placed]:
    """Cars in the lanes, ahead and oncoming."""
    cars, z = [], rng.uniform(6, 40)
    for _ in range(rng.integers(0, 4)):
        oncoming = bool(rng.random() < 0.5)
        middle = (street.left + street.right) / 2
        lane = (street.right + middle) / 2 if oncoming else (street.left + middle) / 2
        cars.append(Placed(z, lane, (3.4, 1.5), _car(oncoming)))
        z += rng.uniform(7, 25)
    return cars


def _car(oncoming: bool) -> Draw:
    def draw(canvas: Canvas, rng: np.random.Generator, x: float, z: float, weather: Weather) -> None:
        car(canvas, rng, x, z, weather.light(0), weather.night, oncoming)
    return draw


def _plain(function: Callable[[Canvas, np.random.Generator, float, float, float], None]) -> Draw:
    def draw(canvas: Canvas, rng: np.random.Generator, x: float, z: float, weather: Weather) -> None:
        function(canvas, rng, x, z, weather.light(0))
    return draw


def _furniture(rng: np.random.Generator, street: Street) -> list[Placed]:
    """Poles, signs, trees, clutter on the pavement, and at times a railing at the kerb."""
    placed = []
    for side in (-1, 1):
        kerb, line = street.kerb(side), street.line(side)
        for z in rng.uniform(4, 60, rng.integers(2, 6)):
            placed.append(Placed(z, kerb + side * rng.uniform(0.2, 0.6), (0.4, 4), _plain(objects.pole)))
        for z in rng.uniform(5, 35, rng.integers(1, 4)):
            placed.append(Placed(z, kerb + side * rng.uniform(0.2, 0.8), (0.4, 2), _plain(objects.sign)))
        if rng.random() < 0.3:
            for z in np.arange(rng.uniform(5, 14), 90, rng.uniform(7, 18)):
                placed.append(Placed(z, kerb + side * 0.9, (2.5, 5), _plain(objects.tree)))
        for z in rng.uniform(4, 25, rng.integers(0, 3)):
            x = rng.uniform(min(kerb, line), max(kerb, line))
            placed.append(Placed(z, x, (0.9, 0.8), _plain(objects.clutter)))
        if rng.random() < 0.3:
            start = rng.uniform(3, 20)
            for z in np.arange(start, start + rng.uniform(4, 20), 2.4):
                placed.append(Placed(z, kerb + side * 0.25, (0.3, 0.9), _railing()))
    return placed


def _railing() -> Draw:
    def draw(canvas: Canvas, rng: np.random.Generator, x: float, z: float, weather: Weather) -> None:
        facades.barrier(canvas, rng, (x, z), (x, z + 2.4), weather.light(np.sign(x)))
    return draw


def _people(rng: np.random.Generator, street: Street) -> list[Placed]:
    """Walkers on the pavements, some crossing, and cyclists at the edges of the road."""
    placed = []
    for _ in range(rng.integers(2, 9)):
        side, z = rng.choice((-1, 1)), rng.uniform(4, 14) if rng.random() < 0.4 else rng.uniform(6, 45)
        crossing = rng.random() < 0.2
        kerb, line = street.kerb(side), street.line(side)
        x = rng.uniform(street.left, street.right) if crossing else rng.uniform(min(kerb, line), max(kerb, line))
        for _ in range(rng.integers(1, 4)):
            x, z = x + rng.uniform(-0.6, 0.6), z + rng.uniform(0, 0.6)
            placed.append(Placed(z, x, (0.7, 1.7), _plain(people.pedestrian)))
    for _ in range(rng.integers(0, 4)):
        x = rng.uniform(street.left + 0.3, street.right - 0.3)
        placed.append(Placed(rng.uniform(4, 25), x, (1.2, 1.7), _plain(people.bicyclist)))
    return placed
