"""A sample's inputs: the image, and the pictures of the same stem in further folders."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from segnet_hpu.errors import UsageError

PictureFunction = Callable[[np.ndarray], np.ndarray]


def stacked(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Return pictures (y, x, c) of any sizes as one (H, W, n * c), at the size of the first."""
    size = pictures[0].shape[1::-1]
    return np.concatenate([picture if picture.shape[1::-1] == size else np.atleast_3d(cv2.resize(picture, size))
                           for picture in pictures], axis=2)


def functions_of(preprocessing: PictureFunction | Sequence[PictureFunction] | None,
                 inputs: int) -> list[PictureFunction]:
    """Return the functions, one an input, that `preprocessing` means; none for None.

    Raises UsageError for another number of them.
    """
    if preprocessing is None:
        return []
    functions = [preprocessing] * inputs if callable(preprocessing) else list(preprocessing)
    if len(functions) != inputs:
        raise UsageError(f"preprocessing has {len(functions)} functions for {inputs} inputs; expected one an "
                         "input, or a single function for all")
    return functions


def preprocessed(pictures: Sequence[np.ndarray], functions: Sequence[PictureFunction]) -> list[np.ndarray]:
    """Return the pictures that come out of the functions; as they are if there are none."""
    if not functions:
        return list(pictures)
    return [np.asarray(function(picture)) for function, picture in zip(functions, pictures, strict=True)]
