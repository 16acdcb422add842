"""Watch over a launch: pass the workers' words and our signals on, bound every wait, leave no process behind."""

import os
import signal
import sys
import time

from segnet_hpu.errors import Stopped
from segnet_hpu.launch.failures import Ranks
from segnet_hpu.launch.processes import Launch

# Seconds for workers to end once one has failed, and for the launcher once they are gone; horovodrun gives 5, and
# 10 to an ssh.
GRACE = 12.0


def supervise(command, variables, logs, fault_timeout, elastic=False, everything=False, workers=0):
    """Run the launcher until it ends. Raises SegnetError, with the exit status to end with, if it failed.

    command, variables: from launch.command. logs: folder of the workers' logs, for messages.
    fault_timeout: seconds for the workers to save their state when a signal stops the run.
    elastic: a worker's end is the launcher's affair. everything: show all workers' output, not rank 0's alone.
    workers: their number where some are on other machines, so that one lost there can be named.
    A worker's failure ends the run within GRACE; SIGINT and SIGTERM are passed on, a second one ends it at once.
    """
    ranks = Ranks()
    with _Signals() as signals:
        launch = Launch(command, variables)
        try:
            _follow(launch, ranks, signals, fault_timeout, elastic, everything, workers)
        finally:
            launch.kill()
    status = launch.process.returncode
    if status == 0 and (elastic or not ranks.failed):
        return
    if signals.caught:
        raise Stopped(next((text for _, text in sorted(ranks.errors.items())), "stopped"), signals.caught)
    raise ranks.verdict(status, os.path.basename(command[0]), logs, fault_timeout)


def _follow(launch, ranks, signals, fault_timeout, elastic, everything, workers):
    """Pass words and signals on until the launcher ends, or has to be ended."""
    never = float("inf")
    seen, deadline = 0, never
    frozen = _Frozen(launch, fault_timeout)
    for text in launch.lines():
        for rank, stream, words in ranks.hear(text):
            if everything or (rank == 0 and not ranks.failed):
                _show(rank, stream, words, everything)
        if signals.count > seen:
            seen = signals.count
            deadline = time.monotonic()
            if seen == 1 and launch.signal_workers(signals.caught):
                deadline += fault_timeout
        elif ranks.failed and not elastic and deadline == never:
            deadline = time.monotonic() + GRACE
            ranks.elsewhere = sorted(set(range(workers)) - launch.workers().keys())
        if time.monotonic() >= deadline or (not elastic and frozen.ranks()):
            break
    else:
        return
    silent = [rank for rank in launch.workers() if rank not in ranks.errors and rank not in ranks.ended]
    ranks.hung += frozen.found or silent
    launch.stop()
    deadline = time.monotonic() + GRACE
    for text in launch.lines():
        for _ in ranks.hear(text):
            pass
        if time.monotonic() >= deadline:
            return


def _show(rank, stream, text, everything):
    out = sys.stdout if stream == "stdout" else sys.stderr
    out.write(f"[{rank}] {text}" if everything else text)
    out.flush()


class _Frozen:
    """Watches for a worker whose process stands still: over MPI the others wait for it without end."""

    def __init__(self, launch, seconds):
        self.launch, self.seconds = launch, seconds
        self.since, self.found, self.looked = {}, [], time.monotonic()

    def ranks(self):
        """Return, and keep as `found`, the ranks that have stood still for so long. Looks four times meanwhile."""
        now = time.monotonic()
        if now - self.looked >= self.seconds / 4:
            self.looked = now
            self.since = {rank: self.since.get(rank, now) for rank in self.launch.frozen()}
            self.found = sorted(rank for rank, begin in self.since.items() if now - begin >= self.seconds)
        return self.found


class _Signals:
    """Within this context SIGINT and SIGTERM are counted, and the first is kept in `caught`."""

    def __init__(self):
        self.caught, self.count = None, 0

    def __enter__(self):
        self.before = {n: signal.signal(n, self._note) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number, frame):
        self.caught = self.caught or number
        self.count += 1

    def __exit__(self, *_):
        for number, handler in self.before.items():
            signal.signal(number, handler)
