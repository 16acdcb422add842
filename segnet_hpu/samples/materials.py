"""Surface colours and grain.

The palettes overlap on purpose: colour alone must not tell the classes apart.
"""

from collections.abc import Sequence

import cv2
import numpy as np

Colour = Sequence[float] | np.ndarray  # red, green, blue, 0..255

FACADES = [(150, 78, 62), (122, 104, 88), (165, 150, 125), (192, 187, 176), (106, 106, 109), (130, 132, 135),
           (86, 80, 78), (200, 190, 160), (96, 108, 122), (108, 112, 96), (92, 92, 98), (136, 124, 112)]
ASPHALT = [(88, 88, 92), (106, 104, 102), (74, 75, 81), (122, 117, 111), (98, 92, 90), (136, 133, 130)]
PAVING = [(130, 125, 120), (110, 110, 112), (146, 135, 120), (98, 97, 98), (136, 110, 100), (88, 86, 90)]
LEAVES = [(60, 85, 40), (80, 95, 45), (45, 65, 40), (110, 95, 40), (122, 82, 46), (76, 76, 60), (98, 88, 78)]
BARK = [(70, 60, 52), (92, 84, 76), (52, 48, 46)]
FENCES = [(50, 52, 55), (96, 86, 70), (60, 80, 55), (130, 130, 128), (142, 85, 65), (182, 176, 165)]
METAL = [(60, 62, 64), (120, 122, 124), (38, 40, 42), (92, 98, 88), (160, 160, 158), (88, 76, 66)]
PAINT = [(40, 42, 46), (190, 192, 195), (150, 28, 30), (30, 50, 110), (120, 124, 128), (70, 84, 74),
         (222, 222, 220), (92, 104, 122), (150, 140, 112), (60, 20, 28)]
CLOTH = [(36, 36, 42), (60, 62, 80), (130, 40, 44), (88, 88, 90), (170, 165, 155), (52, 72, 52),
         (190, 160, 60), (104, 84, 66), (38, 58, 110), (214, 214, 210)]
SKIN = [(205, 165, 140), (150, 108, 84), (92, 66, 52), (224, 186, 160)]
SIGNS = [(190, 30, 34), (28, 70, 160), (226, 226, 222), (20, 100, 62), (228, 190, 40), (60, 62, 66)]


def pick(rng: np.random.Generator, palette: Sequence[Colour], jitter: int = 14) -> np.ndarray:
    """One RGB colour of the palette, moved a little."""
    return np.asarray(palette[int(rng.integers(len(palette)))], np.float64) + rng.integers(-jitter, jitter + 1, 3)


class Grain:
    """Random tables that surfaces look up by their own coordinates, so that grain follows perspective."""

    SIZE = 512

    def __init__(self, rng: np.random.Generator) -> None:
        self.fine = rng.integers(0, 256, (self.SIZE, self.SIZE)) / 127.5 - 1
        self.rough = np.zeros((self.SIZE, self.SIZE))
        for cells, weight in ((8, 0.4), (32, 0.35), (128, 0.25)):
            cell_values = rng.integers(0, 256, (cells, cells)).astype(np.uint8)
            # The exact variant gives equal bytes on every processor.
            table: np.ndarray = cv2.resize(cell_values, (self.SIZE, self.SIZE), interpolation=cv2.INTER_LINEAR_EXACT)
            self.rough += weight * (table / 127.5 - 1)

    def at(self, table: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Values in -1..1 at whole cells below (a, b)."""
        mask = self.SIZE - 1
        return table[np.floor(a).astype(int) & mask, np.floor(b).astype(int) & mask]

    def surface(self, a: np.ndarray, b: np.ndarray, fine: float = 0.06, rough: float = 0.12) -> np.ndarray:
        """Brightness factor (..., 1) around 1 for surface coordinates in metres."""
        factor = 1 + fine * self.at(self.fine, a * 40, b * 40) + rough * self.at(self.rough, a * 16, b * 16)
        return factor[..., None]
