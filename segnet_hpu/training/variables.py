"""Values of Keras variables, out and in."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np


def to_numpy(variable: keras.Variable) -> np.ndarray:
    """Return a copy of a variable's value."""
    return np.array(keras.ops.convert_to_numpy(variable))


def set_values(variables: Sequence[keras.Variable], values: Iterable[Any]) -> None:
    """Assign a value to each of the variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
