"""One process, with nobody to agree with."""

import contextlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from segnet_hpu.runtime.ranks.interface import Ranks, Run

if TYPE_CHECKING:
    import keras
    import numpy as np

T = TypeVar("T")


class Alone(Ranks):
    """Rank 0 of 1."""

    rank, size, local_rank, local_size, planned = 0, 1, 0, 1, 1
    leads, elastic, xla = True, False, True

    def together(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def drive(self, run: Run) -> None:
        run.loop()

    def commit(self) -> None:
        pass

    def first(self, function: Callable[[], T]) -> T:
        return function()

    def sum(self, array: "np.ndarray") -> "np.ndarray":
        return array

    def average_gradients(self, optimizer: "keras.Optimizer", compress: bool = False) -> None:
        pass

    def synchronise_batch_norm(self, model: "keras.Model") -> None:
        pass

    def level(self, variables: "Sequence[keras.Variable]") -> None:
        pass

    def agree(self, save: bool, stop: bool) -> tuple[bool, bool]:
        return save, stop

    def waited(self) -> float | None:
        return None


ALONE = Alone()
