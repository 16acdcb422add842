"""HDF5 files of weights, opened only where their header is one of a file that holds its own numbers."""

import math
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py

DEEPEST = 50  # groups within groups; a file may hold a circle of them
# Bytes that a file may declare for each that it has, and what every file may.
LARGEST_RATIO, FREE = 20, 64 * 2**20


def open_weights(file: Path | IO[bytes], size: int | None = None) -> "h5py.File":
    """Open an HDF5 file of `size` bytes, the file's own if not set, to read.

    Raises ValueError where its data sets lie in other files or declare far more than the file holds, and what h5py
    raises over damaged bytes.
    """
    import h5py

    opened = h5py.File(file)
    try:
        declared = _declared(opened, DEEPEST)
        size = os.path.getsize(opened.filename) if size is None else size
        if declared > LARGEST_RATIO * size + FREE:
            raise ValueError(f"it declares {declared:.3g} bytes of numbers in a file of {size:,}")
    except BaseException:
        opened.close()
        raise
    return opened


def array(group: "h5py.Group", name: Any) -> np.ndarray:
    """Return the numbers of a data set of a group. Raises ValueError where it is none of numbers."""
    import h5py

    found = group[name]
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiu":
        raise ValueError(f"{found.name} holds no numbers")
    return found[()]


def _declared(group: "h5py.Group", depth: int) -> float:
    """The bytes of all data sets in a group; a float, because the product of damaged sides has no bounds."""
    import h5py

    if not depth:
        raise ValueError(f"its groups lie more than {DEEPEST} deep")
    total = 0.0
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{name} is a link to another place")
        found = group[name]
        if isinstance(found, h5py.Group):
            total += _declared(found, depth - 1)
        elif isinstance(found, h5py.Dataset):
            if found.external or found.is_virtual:
                raise ValueError(f"{name} lies in another file")
            total += float(math.prod(found.shape or ())) * found.dtype.itemsize
    return total
