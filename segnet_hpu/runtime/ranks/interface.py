"""What every kind of ranks can do."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import keras
    import numpy as np

T = TypeVar("T")


class Snapshots(Protocol):
    """What takes and restores snapshots, which can be pickled, of a run's state and of its variables."""

    def snapshot(self, state: Any) -> Any: ...

    def restore(self, snapshot: Any) -> Any:
        """Set the variables to a snapshot's; return its state."""

    def gather(self, state: Any) -> None:
        """Bring together what each rank holds of its own: a meeting."""


class Run(Protocol):
    """What ranks drive: a run whose `loop` trains from its `state` to the end."""

    state: Any

    @property
    def checkpoints(self) -> Snapshots: ...

    def loop(self) -> None: ...


class Ranks(Protocol):
    """The processes that train one model together, as one of them sees them.

    `first`, `sum` and `level` are meetings: every rank must call them, in the same order.

    rank: this process's number, from 0; size: how many there are. local_rank, local_size: the same among those on
    this machine. planned: how many ranks' parts make up a global batch. leads: whether this is rank 0, which alone
    writes. elastic: whether the number of ranks may change. xla: whether XLA can compile a step in which they meet.
    """

    rank: int
    size: int
    local_rank: int
    local_size: int
    planned: int
    leads: bool
    elastic: bool
    xla: bool

    def together(self) -> AbstractContextManager[None]:
        """Return a context in which the failure of another rank is raised as WorkerLost."""

    def drive(self, run: Run) -> None:
        """Call run.loop(), again whenever the ranks have changed, until it comes to its end."""

    def commit(self) -> None:
        """Where ranks may change, remember the state that is now, and see whether they have."""

    def first(self, function: Callable[[], T]) -> T:
        """Return what function() returns on rank 0, which alone calls it. The result must be picklable.

        A SegnetError of function is raised on every rank; all but rank 0 get it as the silent Elsewhere.
        """

    def sum(self, array: "np.ndarray") -> "np.ndarray":
        """Return the sum over the ranks of a NumPy array of int32, int64, float32 or float64."""

    def average_gradients(self, optimizer: "keras.Optimizer", compress: bool = False) -> None:
        """Make a Keras optimizer average its gradients over the ranks, once an update, before clipping.

        compress: send them as fp16.
        """

    def synchronise_batch_norm(self, model: "keras.Model") -> None:
        """Make batch normalisation use the statistics of the global batch."""

    def level(self, variables: "Sequence[keras.Variable]") -> None:
        """Set Keras variables to their mean over the ranks."""

    def agree(self, save: bool, stop: bool) -> tuple[bool, bool]:
        """Return (save, stop): what any rank wished. Among several, of wishes made one step before."""

    def waited(self) -> float | None:
        """Return the seconds since the last call that this rank spent on averaging gradients, waiting for the others
        included; None where that cannot be told."""
