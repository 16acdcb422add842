"""Write drawn scenes as a data set in keras_segmentation's folder layout."""

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import StrPath, new_folder
from segnet_hpu.samples.scene import draw_scene

Progress = Callable[[Iterable[int]], Iterable[int]]


def write_dataset(out: StrPath, n: int = 40, seed: int = 0, height: int = 360, width: int = 480,
                  val_fraction: float = 0.2, progress: Progress = iter) -> tuple[int, int, bool]:
    """Draw scenes 0..n-1 of `seed` into out/{images,annotations}_prepped_{train,test}/ as PNG files.

    Images are RGB, labels grey class ids; the last `val_fraction` of the scenes (at least one, not all)
    is the test part. `out` appears only when it is complete; an `out` that holds exactly this data set
    already is left as it is. `progress` wraps the range of indices. Returns (train, test) counts and
    whether they were drawn now.

    Raises UsageError if `out` holds anything else, RunError if it cannot be written.
    """
    out = Path(out)
    train = n - min(n - 1, max(1, round(n * val_fraction)))
    try:
        if out.exists() and not out.is_dir():
            raise UsageError(f"--out {out} is a file; expected a new or an empty folder")
        new = not out.is_dir() or not any(out.iterdir())
        if new:
            with new_folder(out) as folder:
                for i in progress(range(n)):
                    _save(folder, i, train, draw_scene(seed, i, height, width))
        else:
            _check_same(out, n, seed, height, width, train, progress)
    except OSError as error:
        raise RunError(f"--out {out}: {error.strerror}; expected a folder that can be written") from None
    return train, n - train, new


def _paths(folder: Path, i: int, train: int) -> list[Path]:
    """Image and label file of scene i."""
    part = "train" if i < train else "test"
    return [folder / f"{kind}_prepped_{part}" / f"scene_{i:04d}.png" for kind in ("images", "annotations")]


def _save(folder: Path, i: int, train: int, scene: tuple[np.ndarray, np.ndarray]) -> None:
    image, label = scene
    for path, array in zip(_paths(folder, i, train), (image[..., ::-1], label), strict=True):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".png", array)[1].tobytes())


def _check_same(out: Path, n: int, seed: int, height: int, width: int, train: int, progress: Progress) -> None:
    """Raise UsageError unless `out` holds these scenes, pixel for pixel, and nothing else."""
    refusal = UsageError(f"--out {out} is not empty and holds something else than these {n} scenes of "
                         f"seed {seed}; name a new folder")
    expected = {path for i in range(n) for path in _paths(out, i, train)}
    if {path for path in out.rglob("*") if not path.is_dir()} != expected:
        raise refusal
    for i in progress(range(n)):
        image_path, label_path = _paths(out, i, train)
        image, label = draw_scene(seed, i, height, width)
        for path, array in ((image_path, image[..., ::-1]), (label_path, label)):
            # Files of an older OpenCV may be packed differently, so pixels are compared, not bytes.
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if found is None or not np.array_equal(found, array):
                raise refusal
