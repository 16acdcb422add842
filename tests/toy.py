"""A data set that a small network learns in a few steps: three classes, told apart by colour."""

import cv2
import numpy as np

COLOURS = np.array([[60, 60, 200], [60, 190, 60], [210, 70, 60]])  # BGR


def write_toy(folder, n, size=(32, 48), seed=0):
    """Write n pairs as FOLDER/images/*.png and FOLDER/labels/*.png; return the two folders.

    Class 0 fills the top, class 1 the rest, class 2 one rectangle; the image is the class's colour and noise.
    """
    rng = np.random.default_rng(seed)
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    for i in range(n):
        label = np.zeros(size, np.uint8)
        label[size[0] // 2:] = 1
        y, x = rng.integers(0, size[0] // 2), rng.integers(0, size[1] // 2)
        label[y:y + size[0] // 3, x:x + size[1] // 3] = 2
        image = np.clip(COLOURS[label] + rng.normal(0, 20, (*size, 3)), 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / "images" / f"{i}.png"), image)
        cv2.imwrite(str(folder / "labels" / f"{i}.png"), label)
    return folder / "images", folder / "labels"
