"""What a launcher's output tells about its workers, and which of them is the cause when a run fails."""

import re
import signal
from dataclasses import dataclass, field

from segnet_hpu.errors import RunError, UsageError, WorkerLost

OURS = "segnet-hpu: "
# A worker's line as horovodrun ("[1]<stderr>:...") and mpirun ("[1,1]<stderr>:...") pass it on.
_TAGGED = re.compile(r"\[(?:\d+,)?(\d+)\]<(stdout|stderr)>:(.*)", re.DOTALL)
# The launchers' own words on how a worker ended, in groups (rank, status) or (rank, signal).
_ENDED = (re.compile(r"Process (\d+) exit with status code (\d+)"),
          re.compile(r"Process name: \[\[\d+,\d+\],(\d+)\]\s+Exit code:\s+(\d+)"))
_KILLED = re.compile(r"process rank (\d+) with PID \d+ on node \S+ exited on signal (\d+)")
# Words of a worker that only suffers from another one's end.
_SUFFERS = (WorkerLost.WORDS, "HorovodInternalError", "Horovod has been shut down")


@dataclass
class Ranks:
    """What is known of the workers. errors: {rank: line}; ended: {rank: status}, failures only, in their order."""

    errors: dict = field(default_factory=dict)
    ended: dict = field(default_factory=dict)
    launcher: list = field(default_factory=list)
    hung: list = field(default_factory=list)

    def hear(self, line):
        """Take in one line of the launcher's output; return (rank, stream, text) of a worker's line, else None.

        A worker's own last words, "segnet-hpu: ...", are kept for the verdict and not returned.
        """
        tagged = _TAGGED.match(line)
        if tagged is None:
            self.launcher.append(line.rstrip())
            self._note_ends()
            return None
        rank, stream, text = int(tagged[1]), tagged[2], tagged[3]
        words = text.strip()
        if stream == "stderr" and words.startswith(OURS) and not words.startswith(f"{OURS}warning"):
            self.errors.setdefault(rank, words.removeprefix(OURS))
            return None
        return rank, stream, text

    def _note_ends(self):
        # mpirun spreads its words over two lines.
        latest = "\n".join(self.launcher[-2:])
        for pattern in _ENDED:
            if found := pattern.search(latest):
                self.ended.setdefault(int(found[1]), int(found[2]))
        if found := _KILLED.search(latest):
            self.ended.setdefault(int(found[1]), 128 + int(found[2]))

    @property
    def failed(self):
        return bool(self.errors or self.ended)

    def verdict(self, status, launcher, logs, seconds):
        """Return the error to raise for a launcher that ended with `status`: the rank that is the cause, and why.

        The cause is the first rank with a reason of its own; else the first that ended without a word; else one
        that hung; else whichever failed first. launcher: its name. logs: where the workers' words lie.
        seconds: how long a worker may keep the others waiting.
        """
        own = {rank: text for rank, text in self.errors.items() if not any(word in text for word in _SUFFERS)}
        silent = [rank for rank in self.ended if rank not in self.errors and rank not in self.hung]
        where = f"its words are in {logs}. The same command with --auto_resume_checkpoint goes on"
        if own:
            rank = next((rank for rank in self.ended if rank in own), next(iter(own)))
            bad_input = self.ended.get(rank, status) == UsageError.exit_status
            who = "" if len(own) > 1 and len(set(own.values())) == 1 else f"rank {rank}: "
            return (UsageError if bad_input else RunError)(f"{who}{own[rank]}")
        if silent:
            return RunError(f"rank {silent[0]} {_how(self.ended[silent[0]])}, and the others were stopped; {where}")
        if self.hung:
            return RunError(f"rank {self.hung[0]} did not answer within --fault_timeout, {seconds:g} s, and was "
                            f"stopped with the others; {where}")
        if self.errors:
            rank, text = next(iter(self.errors.items()))
            return RunError(f"rank {rank}: {text}")
        words = next((text for text in reversed(self.launcher) if text.strip(" -")), "no word")
        return RunError(f"{launcher} ended with status {status}: {words.strip()}")


def _how(status):
    if status <= 128:
        return f"ended with status {status}"
    try:
        name = signal.Signals(status - 128).name
    except ValueError:
        name = "unknown"
    hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
    return f"was ended by signal {status - 128} ({name}{hint})"
