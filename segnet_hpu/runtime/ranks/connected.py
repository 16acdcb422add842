"""What ranks have in common that something connects, and whose number stays."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import keras
import numpy as np

from segnet_hpu.errors import Elsewhere, SegnetError
from segnet_hpu.runtime.ranks.interface import Ranks, Run

T = TypeVar("T")


class Connected(Ranks):
    """Ranks that meet by `broadcast` and `sum`."""

    elastic = False

    @abstractmethod
    def broadcast(self, value: Any) -> Any:
        """Return rank 0's value, which must be picklable, on every rank: a meeting."""

    def drive(self, run: Run) -> None:
        run.loop()

    def commit(self) -> None:
        pass

    def first(self, function: Callable[[], T]) -> T:
        result: T | None = None
        error: SegnetError | None = None
        if self.leads:
            try:
                result = function()
            except SegnetError as caught:
                error = caught
        result, status = self.broadcast((result, error and error.exit_status))
        if status is not None:
            raise error or Elsewhere(status)
        return result

    def level(self, variables: Sequence[keras.Variable]) -> None:
        for variable in variables:
            variable.assign(self.sum(keras.ops.convert_to_numpy(variable).astype(np.float64)) / self.size)
