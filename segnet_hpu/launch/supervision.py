"""Watch over a launch: pass the workers' words and our signals on, bound every wait, leave no process behind."""

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from segnet_hpu.errors import Stopped
from segnet_hpu.launch.failures import WorkerLine, WorkerReports
from segnet_hpu.launch.processes import Launch

# Seconds for workers to end on a signal where one stands still, so that they cannot save together.
STANDSTILL = 3.0
# Seconds for workers to end once one has failed, and for the launcher once they are gone; horovodrun gives 5, and
# 10 to an ssh.
GRACE = 12.0


def supervise(command: list[str], variables: Mapping[str, str], logs: Path | str, fault_timeout: float,
              elastic: bool = False, everything: bool = False, workers: int = 0) -> None:
    """Run the launcher until it ends. Raises SegnetError, with the exit status to end with, if it failed.

    command, variables: from launch.command. logs: folder of the workers' logs, for messages.
    fault_timeout: seconds for the workers to save their state when a signal stops the run.
    elastic: a worker's end is the launcher's affair. everything: show all workers' output, not rank 0's alone.
    workers: their number where some are on other machines, so that one lost there can be named.
    A worker's failure ends the run within GRACE; SIGINT and SIGTERM are passed on as SIGTERM, a second one ends it
    at once.
    """
    reports = WorkerReports()
    with _Signals() as signals:
        launch = Launch(command, variables)
        try:
            _follow(launch, reports, signals, fault_timeout, elastic, everything, workers)
        finally:
            launch.kill()
    status = launch.process.returncode
    if status == 0 and (elastic or not reports.failed):
        return
    if signals.caught:
        raise Stopped(next((text for _, text in sorted(reports.errors.items())), "stopped"), signals.caught)
    raise reports.failure(status, os.path.basename(command[0]), str(logs), fault_timeout)


def _follow(launch: Launch, reports: WorkerReports, signals: "_Signals", fault_timeout: float, elastic: bool,
            everything: bool, workers: int) -> None:
    """Pass words and signals on until the launcher ends, or has to be ended."""
    never = float("inf")
    seen, deadline = 0, never
    frozen = _Frozen(launch, fault_timeout)
    for output in launch.lines():
        for line in reports.hear(*output):
            if everything or (line.rank == 0 and not reports.failed):
                _show(line, everything)
        if signals.count > seen:
            seen = signals.count
            deadline = time.monotonic()
            # SIGTERM, whatever came: within a library's wait it ends a worker that is not yet training.
            if seen == 1 and launch.signal_workers(signal.SIGTERM):
                deadline += STANDSTILL if launch.frozen() else fault_timeout
        elif reports.failed and not elastic and deadline == never:
            deadline = time.monotonic() + GRACE
            reports.hung += sorted(launch.frozen())  # which the launcher will have to kill
            reports.elsewhere = sorted(set(range(workers)) - launch.workers().keys())
        if time.monotonic() >= deadline or (not elastic and frozen.ranks()):
            break
    else:
        return
    silent = [rank for rank in launch.workers() if rank not in reports.errors and rank not in reports.ended]
    reports.hung += frozen.found or silent
    reports.stopping = True
    launch.stop()
    deadline = time.monotonic() + GRACE
    for output in launch.lines():
        for _ in reports.hear(*output):
            pass
        if time.monotonic() >= deadline:
            return


def _show(line: WorkerLine, everything: bool) -> None:
    out = sys.stdout if line.stream == "stdout" else sys.stderr
    out.write(f"[{line.rank}] {line.text}" if everything else line.text)
    out.flush()


class _Frozen:
    """Watches for a worker whose process stands still: over MPI the others wait for it without end."""

    def __init__(self, launch: Launch, seconds: float) -> None:
        self.launch, self.seconds = launch, seconds
        self.since: dict[int, float] = {}
        self.found: list[int] = []
        self.looked = time.monotonic()

    def ranks(self) -> list[int]:
        """Return, and keep as `found`, the ranks that have stood still for so long. Looks four times meanwhile."""
        now = time.monotonic()
        if now - self.looked >= self.seconds / 4:
            self.looked = now
            self.since = {rank: self.since.get(rank, now) for rank in self.launch.frozen()}
            self.found = sorted(rank for rank, begin in self.since.items() if now - begin >= self.seconds)
        return self.found


class _Signals:
    """Within this context SIGINT and SIGTERM are counted, and the first is kept in `caught`, which is 0 before."""

    def __init__(self) -> None:
        self.caught = self.count = 0

    def __enter__(self) -> "_Signals":
        self.before = {n: signal.signal(n, self._note) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught = self.caught or number
        self.count += 1

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
