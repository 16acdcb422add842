"""Train once in a process of its own: what it crashes, leaks or is killed for stays there.

The processes are forked from one that has Keras imported, so that a trial starts in a moment instead of in the
seconds that this import takes.
"""

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from segnet_hpu.errors import RunError, SegnetError
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings


class TrialResult(NamedTuple):
    """The best validation mean IoU, None without any, and whether the training was stopped before its end."""

    score: float | None
    stopped: bool


class EpochEnd(NamedTuple):
    """What the training tells the search after every epoch; the answer is whether to stop."""

    epoch: int
    score: float


class Failure(NamedTuple):
    """Why the training failed."""

    reason: str


def run_trial(settings: Settings, log: Path, report: Callable[[int, float], bool]) -> TrialResult:
    """Train once, and return how well.

    settings: such as validate. log: the file that takes all output. report: a function (epoch, its validation
    mean IoU) -> whether to stop. Raises RunError, with the reason, where the training fails.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["segnet_hpu.training.run"])
    ours, theirs = server.Pipe()
    process = server.Process(target=_work, args=(settings, str(log), theirs), daemon=True)
    process.start()
    theirs.close()
    best: float | None = None
    stopped = False
    try:
        while True:
            message: EpochEnd | Failure | None = ours.recv()  # None: trained to the end
            if message is None:
                return TrialResult(best, stopped)
            if isinstance(message, Failure):
                raise RunError(message.reason)
            best = message.score if best is None else max(best, message.score)
            stopped = report(message.epoch, message.score)
            ours.send(stopped)
    except (EOFError, ConnectionError):
        process.join()
        raise RunError(_how_it_ended(process.exitcode, log)) from None
    finally:
        process.kill()
        process.join()


def _how_it_ended(status: int | None, log: Path) -> str:
    if status == -signal.SIGKILL:
        return "the process was killed, perhaps for want of memory; try a smaller batch_size or input"
    how = f"by {signal.Signals(-status).name}" if status and status < 0 else f"with status {status}"
    return f"the process ended {how}; see {log}"


def _work(settings: Settings, log: str, pipe: Connection) -> None:
    """What the process does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        _train(settings, pipe)
        pipe.send(None)
    except SegnetError as error:
        print(error, file=sys.stderr)
        pipe.send(Failure(str(error)))
    except Exception as error:
        traceback.print_exc()
        reason = (str(error).splitlines() or [""])[0]
        pipe.send(Failure(f"{type(error).__name__}: {reason[:200]} (see {log})"))


def _train(settings: Settings, pipe: Connection) -> None:
    from keras.callbacks import LambdaCallback

    from segnet_hpu.training.checkpoint import list_checkpoints
    from segnet_hpu.training.run import train

    def report(epoch: int, logs: dict[str, Any]) -> None:
        pipe.send(EpochEnd(epoch + 1, logs.get("val_mean_iou") or 0.0))
        if pipe.recv():
            reporter.model.stop_training = True

    reporter = LambdaCallback(on_epoch_end=report)
    train(settings, callbacks=[reporter])
    # Of many trials the best models are enough; the states to go on from are three times as large.
    for path in list_checkpoints(RunFolder.of(settings, settings.model_name).prefix):
        path.unlink()


def _end_with_parent() -> None:
    """End this process when the search is gone, however it ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
