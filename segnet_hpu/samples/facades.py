"""What lines the street: buildings with windows and shops, fences, walls and hedges."""

import numpy as np

from segnet_hpu.samples import materials
from segnet_hpu.samples.canvas import BUILDING, FENCE, SIGN, TREE, Canvas, Mask, Paint, Point
from segnet_hpu.samples.materials import Grain, pick


def building(canvas: Canvas, rng: np.random.Generator, near: Point, far: Point, light: float, night: bool) -> None:
    """A facade between two ground points (x, z), its gable towards the camera and at times a shop sign."""
    colour = pick(rng, materials.FACADES)
    top = rng.uniform(5, 9) if rng.random() < 0.6 else rng.uniform(9, 24)
    depth = np.sign(near[0]) * rng.uniform(6, 14)
    gable = pick(rng, [colour], 6) * rng.uniform(0.75, 1.0)
    canvas.wall(near, (near[0] + depth, near[1]), top, _plain(canvas.grain, gable, near[1]), BUILDING)
    paint = _facade(canvas.grain, rng, colour * light, top, night, length=abs(far[1] - near[1]))
    canvas.wall(near, far, top, paint, BUILDING)
    if rng.random() < 0.35:
        inset = np.sign(near[0]) * 0.12
        board = pick(rng, materials.SIGNS) * light
        z = rng.uniform(near[1], (near[1] + far[1]) / 2)
        ends = (near[0] - inset, z), (near[0] - inset, min(z + rng.uniform(1.5, 5), far[1]))
        paint = _board(canvas.grain, rng, board)
        canvas.wall(*ends, rng.uniform(3.5, 4), paint, SIGN, bottom=rng.uniform(2.6, 3))


def _plain(grain: Grain, colour: np.ndarray, seed: float) -> Paint:
    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        return colour * grain.surface(s + seed, y), np.True_, np.True_
    return paint


def _board(grain: Grain, rng: np.random.Generator, colour: np.ndarray) -> Paint:
    ink = pick(rng, materials.SIGNS)

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        letters = (grain.at(grain.fine, s * 7, y * 3) > 0) & (y > 2.95) & (y < 3.45)
        return np.where(letters[..., None], ink, colour), np.True_, np.True_
    return paint


def _facade(grain: Grain, rng: np.random.Generator, colour: np.ndarray, top: float, night: bool,
            length: float) -> Paint:
    """Paint of a front: courses, windows with frames, a ground floor of its own, a roof or gables."""
    floor, pitch = rng.uniform(2.7, 3.6), rng.uniform(1.6, 4)
    wide, tall = pitch * rng.uniform(0.3, 0.75), floor * rng.uniform(0.4, 0.7)
    frame = pick(rng, [(225, 225, 220), (70, 66, 62), tuple(colour)])
    glass = pick(rng, [(58, 66, 76), (44, 46, 50), (120, 134, 146), (84, 88, 92)])
    roof = pick(rng, [(98, 58, 48), (76, 78, 84), (60, 56, 54)])
    eaves = top - rng.uniform(1, 2.5) if rng.random() < 0.6 else top
    gables = length / max(1, round(length / rng.uniform(5, 9))) if rng.random() < 0.35 else 0
    shop = rng.random() < 0.45
    shop_colour = pick(rng, materials.PAINT) * 0.8
    shift, lit = rng.integers(0, 400), rng.uniform(0.1, 0.7) if night else 0.03

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        up, along = (y - 0.7) % floor, s % pitch
        cell = np.floor(s / pitch) + shift, np.floor(y / floor) + 0 * s
        chance = grain.at(grain.fine, *cell)
        surface = grain.surface(s + shift, y)
        courses = 1 - 0.10 * ((y % 0.3) < 0.06)[..., None]
        out = colour * surface * courses
        edge = 0.12
        frames = (along < wide + 2 * edge) & (up < tall + 2 * edge) & (y < eaves - 0.4) & (y > 0.7)
        panes = frames & (along > edge) & (along < wide + edge) & (up > edge) & (up < tall + edge)
        out = np.where(frames[..., None], frame * surface, out)
        pane = glass * (1 + 0.35 * chance + 0.25 * grain.at(grain.rough, s * 30, y * 20))[..., None]
        pane = np.where((chance > 1 - 2 * lit)[..., None], (235, 205, 140), pane)
        out = np.where(panes[..., None], pane, out)
        if shop:
            front = (y < 3.2) & (s % 4 > 0.25)
            window = (y > 0.5) & (y < 2.5) & (s % 4 > 0.5) & (s % 4 < 3.7)
            inside = glass * (1.1 + 0.6 * grain.at(grain.rough, s * 50 + shift, y * 40))[..., None]
            out = np.where(front[..., None], np.where(window[..., None], inside, shop_colour * surface), out)
        tiles = roof * surface * (1 - 0.2 * ((s % 0.4) < 0.08))[..., None]
        out = np.where((y > eaves)[..., None], tiles, out)
        solid = y <= top
        if gables:
            solid = y <= eaves + (top - eaves + 1) * (1 - abs(s % gables / gables - 0.5) * 2)
        return out, solid, np.True_
    return paint


def barrier(canvas: Canvas, rng: np.random.Generator, near: Point, far: Point, light: float) -> None:
    """A fence: railings, boards, mesh or a low wall; the gaps of railings and mesh show what lies behind."""
    grain, colour = canvas.grain, pick(rng, materials.FENCES) * light
    kind = rng.integers(4)
    if kind == 3:
        colour = pick(rng, materials.FACADES) * light
    top, gap = rng.uniform(0.8, 2.0), rng.uniform(0.12, 0.35)

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        rails = (abs(y - top * 0.93) < 0.05) | (abs(y - top * 0.2) < 0.05)
        posts = s % 2.4 < 0.12
        seen: Mask = rails | posts
        if kind == 0:
            seen = seen | (s % gap < 0.04)
        elif kind == 2:
            seen = seen | ((s + y) % gap < 0.025) | ((s - y) % gap < 0.025)
        else:
            seen = np.True_
        joints = 1 - 0.25 * ((s % 0.16 < 0.03) if kind == 1 else (y % 0.25 < 0.04))[..., None]
        return colour * grain.surface(s, y) * joints, np.True_, seen
    canvas.wall(near, far, top, paint, FENCE)


def hedge(canvas: Canvas, rng: np.random.Generator, near: Point, far: Point, light: float) -> None:
    """Greenery with a ragged top."""
    grain, colour = canvas.grain, pick(rng, materials.LEAVES) * light
    top, shift = rng.uniform(0.9, 5), rng.integers(0, 400)

    def paint(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, Mask, Mask]:
        ragged = top * (0.85 + 0.3 * grain.at(grain.rough, s * 12 + shift, 0 * s))
        shade = 0.6 + 0.4 * np.clip(y / top, 0, 1)[..., None]
        return colour * shade * grain.surface(s + shift, y, fine=0.3, rough=0.5), y < ragged, np.True_
    canvas.wall(near, far, top * 1.15, paint, TREE)
