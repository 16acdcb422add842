"""Where a street scene is drawn: a camera, and an image, label and depth map that stay in step.

Street coordinates are metres: x to the right of the camera, y up from the ground, z ahead.
Only +, -, *, / and square roots decide pixels, so that every machine draws the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segnet_hpu.samples.materials import Colour, Grain

# Street coordinates: (x, z) on the ground, (x, y) or metres from its middle and y on an upright plane.
Point = tuple[float, float]
Mask = np.ndarray | np.bool_
# Of an upright plane: (metres along (1, w), metres up (h, w)) to colour, labelled pixels and drawn ones.
Paint = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Mask, Mask]]

(SKY, BUILDING, POLE, ROAD, PAVEMENT, TREE, SIGN, FENCE, CAR, PEDESTRIAN, BICYCLIST, VOID) = range(12)

NEAREST = 0.7  # metres; what is closer than this is behind the windscreen


@dataclass(frozen=True)
class Camera:
    """A pinhole camera `eye` metres above a road that bends sideways by `bend` * z**2 metres."""

    height: int
    width: int
    focal: float
    horizon: float
    centre: float
    eye: float
    bend: float

    @classmethod
    def random(cls, rng: np.random.Generator, height: int, width: int) -> Camera:
        """Draw horizon, vanishing point, focal length, eye height and bend."""
        return cls(height, width, focal=rng.uniform(0.85, 1.2) * width,
                   horizon=rng.uniform(0.36, 0.54) * height, centre=rng.uniform(0.32, 0.68) * width,
                   eye=rng.uniform(1.25, 1.9), bend=rng.uniform(-1, 1) * rng.uniform(0, 0.003))

    def project(self, points: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
        """Pixels (N, 2) of street points (N, 3)."""
        x, y, z = np.asarray(points, float).T
        z = np.maximum(z, NEAREST)
        return np.stack([self.centre + self.focal * (x + self.bend * z * z) / z,
                         self.horizon + self.focal * (self.eye - y) / z], axis=1)

    def ground(self) -> tuple[int, np.ndarray, np.ndarray]:
        """First row below the horizon, and the ground's x (rows, width) and z (rows, 1) from there on."""
        first = int(self.horizon) + 1
        rows = np.arange(first, self.height, dtype=float)[:, None]
        z = self.focal * self.eye / (rows - self.horizon)
        x = (np.arange(self.width) - self.centre) * z / self.focal - self.bend * z * z
        return first, x, z


class Canvas:
    """image (H, W, 3) float32 of 0..255 before light and weather, label (H, W) uint8, depth (H, W) metres."""

    def __init__(self, camera: Camera, grain: Grain) -> None:
        size = (camera.height, camera.width)
        self.camera, self.grain = camera, grain
        self.image = np.zeros((*size, 3), np.float32)
        self.label = np.full(size, VOID, np.uint8)
        self.depth = np.zeros(size, np.float32)

    def fill(self, points: Sequence[Sequence[float]] | np.ndarray, colour: Colour,
             class_id: int) -> None:
        """Fill the polygon through street points (N, 3) with one RGB colour."""
        points = np.asarray(points, float)
        outline = np.rint(np.clip(self.camera.project(points), -20000, 20000)).astype(np.int32)
        depth = float(np.maximum(points[:, 2], NEAREST).min())
        cv2.fillPoly(self.image, [outline], tuple(map(float, colour)))
        cv2.fillPoly(self.label, [outline], class_id)
        cv2.fillPoly(self.depth, [outline], depth)

    def wall(self, near: Point, far: Point, top: float, paint: Paint, class_id: int, bottom: float = 0.0) -> None:
        """Draw an upright plane between the ground points near = (x, z) and far = (x, z).

        paint(s, y): s metres along (1, w), y metres up (h, w) -> colour broadcastable to (h, w, 3) and
        masks `solid` (labelled) and `seen` (drawn; gaps show what lies behind) broadcastable to (h, w).
        """
        cam = self.camera
        (ax, az), (bx, bz) = ((x + cam.bend * z * z, z) for x, z in (near, far))
        ray = (np.arange(cam.width) - cam.centre) / cam.focal
        across = (bx - ax) - ray * (bz - az)
        across[across == 0] = 1e-9
        t = (ray * az - ax) / across
        z = az + t * (bz - az)
        columns = np.flatnonzero((t >= 0) & (t <= 1) & (z > NEAREST))
        if not len(columns):
            return
        left, right = columns[0], columns[-1] + 1
        z = z[left:right]
        low, high = (cam.horizon + cam.focal * (cam.eye - y) / z for y in (bottom, top))
        first, last = max(int(high.min()), 0), min(int(low.max()) + 2, cam.height)
        if first >= last:
            return
        rows = np.arange(first, last, dtype=float)[:, None]
        y = cam.eye - (rows - cam.horizon) * z / cam.focal
        s = (t[left:right] * ((bx - ax) ** 2 + (bz - az) ** 2) ** 0.5)[None]
        colour, solid, seen = paint(s, y)
        solid = solid & (y >= bottom) & (y <= top)
        window = np.s_[first:last, left:right]
        self.label[window][solid] = class_id
        solid = solid & seen
        self.image[window][solid] = np.broadcast_to(colour, (*y.shape, 3))[solid]
        self.depth[window][solid] = np.broadcast_to(z, y.shape)[solid]
