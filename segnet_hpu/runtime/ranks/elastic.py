"""Horovod's elastic mode: workers come and go, and the run goes on from what was last committed."""

from collections.abc import Callable
from typing import TypeVar

from horovod.common.elastic import State
from horovod.common.exceptions import HorovodInternalError, HostsUpdatedInterrupt

from segnet_hpu.errors import SegnetError
from segnet_hpu.runtime.ranks.horovod import Horovod, is_horovods
from segnet_hpu.runtime.ranks.interface import Run

T = TypeVar("T")


class Elastic(Horovod):
    """Ranks whose number changes. The global batch stays that of the planned number of workers, so that the data's
    order, the schedule and the result do not depend on who takes part.

    planned: the number of workers that --batch_size is meant for.
    """

    elastic = True

    def __init__(self, planned: int) -> None:
        super().__init__()
        self.planned = planned
        self.committed: Committed | None = None

    def first(self, function: Callable[[], T]) -> T:
        # While a run is prepared nobody meets: a worker that joins later prepares when others are at work.
        return super().first(function) if self.committed else function()

    def drive(self, run: Run) -> None:
        self.committed = Committed(self, run)
        self.hvd.elastic.run(Committed.go_on)(self.committed)

    def commit(self) -> None:
        if self.committed:
            self.committed.commit()


class Committed(State):
    """A run's state in memory, from which all workers go on after a change."""

    def __init__(self, ranks: Elastic, run: Run) -> None:
        super().__init__(ranks.hvd.broadcast_object, ranks.hvd.rank)
        self.ranks, self.run = ranks, run
        self.snapshot = run.checkpoints.snapshot(run.state)

    def go_on(self) -> None:
        """Train until the end, or until workers are lost or found."""
        try:
            self.run.loop()
        except (SegnetError, HorovodInternalError, HostsUpdatedInterrupt):
            raise
        except Exception as error:
            if is_horovods(error):
                raise HorovodInternalError(error) from error
            raise

    def save(self) -> None:
        self.run.checkpoints.gather(self.run.state)
        self.snapshot = self.run.checkpoints.snapshot(self.run.state)

    def check_host_updates(self) -> None:
        try:
            super().check_host_updates()
        except HostsUpdatedInterrupt:
            # Always sync: rank 0, which holds the sums of the metrics, may be another one now.
            raise HostsUpdatedInterrupt(skip_sync=False) from None

    def restore(self) -> None:
        """Nothing: `sync`, which always follows, sets everything to rank 0's snapshot."""

    def sync(self) -> None:
        self.snapshot = self.ranks.first(lambda: self.snapshot)
        self.run.state = self.run.checkpoints.restore(self.snapshot)

    def reset(self) -> None:
        self.ranks.take_place()
