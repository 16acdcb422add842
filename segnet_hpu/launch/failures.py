"""What a launcher's output tells about its workers, and which of them is the cause when a run fails."""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from segnet_hpu.errors import RunError, SegnetError, UsageError, WorkerLost

OURS = "segnet-hpu: "
# The status of an ssh whose command was ended by a signal, or whose connection broke.
SSH_LOST = 255
# Before a worker's words, as horovodrun ("[1]<stderr>:..."), mpirun ("[1,1]<stderr>:...") and torchrun ("[1]<>:...",
# each stream on its own) pass them on.
_TAG = re.compile(r"\[(?:\d+,)?(\d+)\]<(stdout|stderr|)>:")
# mpirun's words on a machine that it has lost.
_MACHINE_LOST = re.compile(r"Remote daemon: \S+ on node (\S+)")
# What ssh and the shell that it starts say, where they cannot do as told.
_SSH = re.compile(r"ssh: |Host key verification failed|.*(Permission denied \(|: command not found)")
_LAUNCHER_ENDS_THE_REST = "Terminating remaining workers"
# Horovod's own words, on rank 0, on a rank that kept the others waiting for too long.
_STALLED = re.compile(r"(\d+)!: \[")
# How a worker's last words begin that only suffers from another one's end; and words of Horovod's own.
_SUFFERS = (WorkerLost.WORDS, "stopped")
_HOROVODS = ("HorovodInternalError", "Horovod has been shut down")
_LOST_IN_CPP = "Horovod background loop uncaught exception"


class _EndPattern(NamedTuple):
    """A launcher's words on how a worker ended: its rank, and its status or, with `base` 128, the signal's number.

    torchrun writes a signal's number as a status below 0.
    """

    pattern: re.Pattern[str]
    base: int = 0


_ENDED = (
    _EndPattern(re.compile(r"Process (?P<rank>\d+) exit with status code (?P<status>\d+)")),
    _EndPattern(re.compile(r"Process name: \[\[\d+,\d+\],(?P<rank>\d+)\]\s+Exit code:\s+(?P<status>\d+)")),
    _EndPattern(re.compile(r"process rank (?P<rank>\d+) with PID \d+ on node \S+ exited on signal (?P<status>\d+)"),
                base=128),
    _EndPattern(re.compile(r"failed \(exitcode: (?P<status>-?\d+)\) local_rank: (?P<rank>\d+) ")))


class WorkerLine(NamedTuple):
    """A line that a worker wrote to "stdout" or "stderr"."""

    rank: int
    stream: str
    text: str


@dataclass
class WorkerReports:
    """What is known of the workers.

    errors: {rank: its last words}. ended: {rank: status} of those that failed by themselves, in their order.
    hung: ranks that had to be killed. elsewhere: ranks on other machines. launcher: its own lines.
    stopping: the launcher or `supervise` ends the workers, so that how they end says nothing of the cause.
    """

    errors: dict[int, str] = field(default_factory=dict)
    ended: dict[int, int] = field(default_factory=dict)
    hung: list[int] = field(default_factory=list)
    elsewhere: list[int] = field(default_factory=list)
    launcher: list[str] = field(default_factory=list)
    stopping: bool = False
    _begun: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        return bool(self.errors or self.ended)

    def hear(self, line: str, output: str = "stdout") -> Iterator[WorkerLine]:
        """Take in a line of the launcher's output, "stdout" or "stderr"; yield every worker's line that it completes.

        A worker's last words, "segnet-hpu: ..." but for warnings, are kept as its error and not yielded.
        """
        own, *tagged = _TAG.split(line)
        if own.strip():
            self._hear_launcher(own.rstrip())
        for rank, stream, text in zip(map(int, tagged[::3]), tagged[1::3], tagged[2::3], strict=True):
            stream = stream or output
            # mpirun passes on what there is, be it half a line.
            text = self._begun.pop((rank, stream), "") + text
            if not text.endswith(("\n", "\r")):
                self._begun[rank, stream] = text
            elif stream == "stderr" and text.startswith(OURS) and not text.startswith(f"{OURS}warning"):
                self.errors.setdefault(rank, text.removeprefix(OURS).strip())
            elif _LOST_IN_CPP not in text:
                if found := _STALLED.match(text):
                    self.hung.append(int(found[1]))
                yield WorkerLine(rank, stream, text)

    def _hear_launcher(self, line: str) -> None:
        self.launcher.append(line)
        latest = "\n".join(self.launcher[-2:])  # mpirun spreads its words over two lines
        for pattern, base in _ENDED:
            if found := pattern.search(latest):
                status = int(found["status"])
                self._note_end(int(found["rank"]), base + status if status >= 0 else 128 - status)
        self.stopping = self.stopping or _LAUNCHER_ENDS_THE_REST in line

    def _note_end(self, rank: int, status: int) -> None:
        if not self.stopping:
            self.ended.setdefault(rank, status)
        elif status == 128 + signal.SIGKILL and rank not in self.ended:
            self.hung.append(rank)  # it did not heed the launcher's SIGTERM

    def failure(self, status: int, launcher: str, logs: str, seconds: float) -> SegnetError:
        """Return the error to raise for a launcher that ended with `status`: the rank that is the cause, and why.

        The cause is the first rank with a reason of its own; else the first that ended by itself without a word; else
        one that hung; else a rank or a machine that was lost; else whichever failed first. launcher: its name.
        logs: where the workers' words lie. seconds: how long a worker may keep the others waiting.
        """
        where = f"its words are in {logs}. The same command with --auto_resume_checkpoint goes on"
        own = {rank: text for rank, text in self.errors.items()
               if not text.startswith(_SUFFERS) and not any(words in text for words in _HOROVODS)}
        if own:
            rank = next((rank for rank in self.ended if rank in own), next(iter(own)))
            # Those to whom it only told its status may have ended before it.
            kind = UsageError if UsageError.exit_status in (status, *self.ended.values()) else RunError
            alike = len(own) > 1 and len(set(own.values())) == 1
            return kind(own[rank] if alike else f"rank {rank}: {own[rank]}")
        for rank, ended in self.ended.items():
            if rank not in self.errors and rank not in self.hung:
                return RunError(f"rank {rank} {_how(ended)}, and the others were stopped; {where}")
        for rank in self.hung:
            return RunError(f"rank {rank} did not answer within --fault_timeout, {seconds:g} s: it hung, and was "
                            f"stopped with the others; {where}")
        # Of an ssh that it ends itself horovodrun does not always tell the status.
        for rank in self.elsewhere:
            if self.errors and rank not in self.errors:
                return RunError(f"rank {rank} {_how(SSH_LOST)}, and the others were stopped; {where}")
        if found := next(filter(None, map(_MACHINE_LOST.search, self.launcher)), None):
            return RunError(f"the connection to {found[1]} and its workers was lost, and the others were stopped; "
                            f"{where}")
        for rank, text in self.errors.items():
            return RunError(f"rank {rank}: {text}")
        said = [line.strip() for line in self.launcher if line.strip(" -")] or ["without a word"]
        words = next(filter(_SSH.match, said), said[-1])
        return RunError(f"{launcher} ended with status {status}: {words}")


def _how(status: int) -> str:
    if status == SSH_LOST:
        return "was lost: it was ended by a signal, did not answer, or its machine or the connection to it is gone"
    if status <= 128:
        return f"ended with status {status}"
    try:
        name = signal.Signals(status - 128).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
    return f"was ended by signal {status - 128} ({name}{hint})"
