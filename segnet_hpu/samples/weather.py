"""Light and weather of a scene, and the camera's own faults: haze, colour cast, blur, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segnet_hpu.samples.canvas import Canvas
from segnet_hpu.samples.materials import pick


@dataclass(frozen=True)
class Weather:
    """sun 0..1, its side (-1 or 1) and shadow length per height; sky colours; cloud -1..1; visibility (m)."""

    sun: float
    sun_side: int
    sun_slope: float
    zenith: np.ndarray
    haze: np.ndarray
    cloud: float
    visibility: float
    night: bool
    rain: bool

    @classmethod
    def random(cls, rng: np.random.Generator) -> Weather:
        """Draw one of bright, overcast, foggy, rainy and dusk, with its own variation."""
        kind = rng.choice(("bright", "bright", "overcast", "overcast", "fog", "rain", "dusk"))
        haze = {"bright": (222, 228, 236), "overcast": (200, 202, 206), "fog": (178, 180, 182),
                "rain": (150, 154, 160), "dusk": (150, 118, 104)}[kind]
        zenith = {"bright": (110, 155, 215), "overcast": (160, 166, 176), "fog": (176, 178, 182),
                  "rain": (110, 114, 122), "dusk": (52, 56, 84)}[kind]
        return cls(sun=rng.uniform(0.5, 1) if kind == "bright" else rng.uniform(0, 0.15),
                   sun_side=int(rng.choice((-1, 1))), sun_slope=rng.uniform(0.4, 2),
                   zenith=pick(rng, [zenith], 16), haze=pick(rng, [haze], 14),
                   cloud=rng.uniform(-0.8, 0.3) if kind in ("bright", "dusk") else rng.uniform(0.2, 1),
                   visibility=rng.uniform(40, 110) if kind == "fog" else rng.uniform(150, 700),
                   night=kind == "dusk", rain=kind == "rain")

    def light(self, side: int) -> float:
        """Brightness of surfaces that face the street on a side (-1 left, 1 right, 0 the camera)."""
        ambient = 0.62 if self.night else 0.92
        return ambient * (1 - 0.35 * self.sun * side * self.sun_side)

    def wet_road(self, canvas: Canvas, ground_labels: tuple[int, ...], rng: np.random.Generator) -> None:
        """Mirror what stands above the horizon in a wet ground."""
        if not self.rain:
            return
        horizon, height = int(canvas.camera.horizon), canvas.label.shape[0]
        mirrored = canvas.image[np.clip(2 * horizon - np.arange(horizon, height), 0, None)]
        wet = np.isin(canvas.label[horizon:], ground_labels)[..., None] * rng.uniform(0.15, 0.4)
        canvas.image[horizon:] = canvas.image[horizon:] * (1 - wet) + mirrored * wet

    def photograph(self, canvas: Canvas, rng: np.random.Generator) -> np.ndarray:
        """Return the scene as the camera gives it: uint8 RGB (H, W, 3)."""
        clear = 1 / (1 + (canvas.depth / self.visibility) ** 2)[..., None]
        image = canvas.image * clear + self.haze * (1 - clear)
        height, width = canvas.label.shape
        dx = (np.arange(width) / width - 0.5)[None, :, None]
        dy = (np.arange(height) / height - 0.5)[:, None, None]
        image = image * (1 - rng.uniform(0, 0.7) * (dx * dx + dy * dy))  # vignette
        if self.sun > 0.7:  # the low sun washes out one side of the picture
            distance = (dx - 0.5 * self.sun_side) ** 2 + (dy + 0.4) ** 2
            image = image + rng.uniform(0, 120) / (1 + 12 * distance)
        exposure = rng.uniform(0.55, 1.25) * rng.uniform(0.92, 1.08, 3)
        contrast = rng.uniform(0.75, 1.25)
        image = (image * exposure - 110) * contrast + 110 + rng.uniform(-8, 8)
        picture: np.ndarray = np.rint(np.clip(image, 0, 255)).astype(np.uint8)
        picture = cv2.GaussianBlur(picture, (3, 3) if rng.random() < 0.7 else (5, 5), 0)
        if self.rain:
            picture = _streaks(picture, rng)
        # The sum of two even draws: bell-shaped enough, and equal on every machine.
        noise = rng.integers(-128, 128, (2, *picture.shape), dtype=np.int8).astype(np.int16).sum(0)
        noise = noise * rng.uniform(0.01, 0.09)
        return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _streaks(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thin bright lines of falling rain."""
    height, width = image.shape[:2]
    rain, slant = np.zeros((height, width), np.uint8), rng.integers(-4, 5)
    for _ in range(width // 3):
        x, y, length = rng.integers(width), rng.integers(height), rng.integers(5, 18)
        cv2.line(rain, (int(x), int(y)), (int(x + slant), int(y + length)), int(rng.integers(10, 45)))
    return cv2.add(image, cv2.merge([rain] * 3))
