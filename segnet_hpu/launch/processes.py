"""The processes of one launch: the launcher and, on this machine, its workers."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from segnet_hpu.runtime.worker import LAUNCH_MARK, end_with_parent

# torchrun's last: its name stands in other environments too.
_RANKS = (b"HOROVOD_RANK", b"OMPI_COMM_WORLD_RANK", b"RANK")


class OutputLine(NamedTuple):
    """A line of a launcher's "stdout" or "stderr"."""

    text: str
    stream: str


class Launch:
    """Starts a command with `variables` added to the environment."""

    def __init__(self, command: list[str], variables: Mapping[str, str]) -> None:
        mark = uuid.uuid4().hex
        self._entry = f"{LAUNCH_MARK}={mark}".encode()
        # In a session of its own a terminal's Ctrl-C reaches us alone. Should we be killed, Linux kills the
        # launcher, and the workers end with it.
        self.process = subprocess.Popen(command, env={**os.environ, **variables, LAUNCH_MARK: mark}, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        errors="replace", start_new_session=True,
                                        preexec_fn=end_with_parent)
        self._lines: queue.SimpleQueue[OutputLine] = queue.SimpleQueue()
        for stream in ("stdout", "stderr"):
            threading.Thread(target=self._pump, args=(stream,), daemon=True).start()

    def _pump(self, stream: str) -> None:
        for text in getattr(self.process, stream):
            self._lines.put(OutputLine(text, stream))

    def lines(self) -> Iterator[OutputLine]:
        """Yield the output's lines, and "" now and then while there is none, until the launcher has ended."""
        while True:
            ended = self.process.poll() is not None
            try:
                yield self._lines.get(timeout=0.2)
            except queue.Empty:
                if ended:
                    return
                yield OutputLine("", "stdout")

    def workers(self) -> dict[int, list[int]]:
        """Return {rank: pids} of the workers on this machine; what a worker started itself counts with it."""
        found: dict[int, list[int]] = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    entries = file.read().split(b"\0")
            except OSError:  # gone, or another user's
                continue
            if self._entry in entries:
                values = dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)
                ranks = [int(values[name]) for name in _RANKS if name in values]
                for rank in ranks[:1]:
                    found.setdefault(rank, []).append(int(pid))
        return found

    def frozen(self) -> set[int]:
        """Return the ranks on this machine whose process is stopped, as by SIGSTOP."""
        return {rank for rank, pids in self.workers().items() if _state(min(pids)) == "T"}

    def signal_workers(self, number: int) -> bool:
        """Send every worker on this machine a signal; return whether there was one."""
        workers = self.workers()
        for pids in workers.values():
            _send(min(pids), number)  # the worker itself: those it started came later
        return bool(workers)

    def stop(self) -> None:
        """End the workers here at once, and the launcher in its orderly way: it ends those on other machines."""
        self._kill_workers()
        self.process.terminate()

    def kill(self) -> None:
        """Leave nothing behind here, whatever the launcher did or does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._kill_workers()

    def _kill_workers(self) -> None:
        for pids in self.workers().values():
            for pid in pids:
                _send(pid, signal.SIGKILL)


def _state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
