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
from pathlib import Path

from segnet_hpu.errors import RunError, SegnetError


def train_apart(settings, log, report):
    """Train; return the best score, and whether `report` ended the training before its time.

    settings: a training.settings.Settings that validates. log: the file that takes all output.
    report: a function (epoch, its validation mean IoU) -> whether to stop. Raises RunError, with the reason,
    where the training fails.
    """
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["segnet_hpu.training.run"])
    ours, theirs = server.Pipe()
    process = server.Process(target=_work, args=(settings, str(log), theirs), daemon=True)
    process.start()
    theirs.close()
    best, stopped = None, False
    try:
        while True:
            kind, *facts = ours.recv()
            if kind == "done":
                return best, stopped
            if kind == "failed":
                raise RunError(facts[0])
            epoch, score = facts
            best = score if best is None else max(best, score)
            stopped = report(epoch, score)
            ours.send(stopped)
    except (EOFError, ConnectionError):
        process.join()
        raise RunError(_how_it_ended(process.exitcode, log)) from None
    finally:
        process.kill()
        process.join()


def _how_it_ended(status, log):
    if status == -signal.SIGKILL:
        return "the process was killed, perhaps for want of memory; try a smaller batch_size or input"
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
    return f"the process ended {how}; see {log}"


def _work(settings, log, pipe):
    """What the process does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        _train(settings, pipe)
        pipe.send(("done",))
    except SegnetError as error:
        print(error, file=sys.stderr)
        pipe.send(("failed", str(error)))
    except Exception as error:
        traceback.print_exc()
        reason = (str(error).splitlines() or [""])[0]
        pipe.send(("failed", f"{type(error).__name__}: {reason[:200]} (see {log})"))


def _train(settings, pipe):
    from segnet_hpu.search.callback import Reporter
    from segnet_hpu.training.checkpoint import list_checkpoints
    from segnet_hpu.training.run import train
    from segnet_hpu.training.run_folder import RunFolder

    train(settings, callbacks=[Reporter(pipe)])
    # Of many trials the best models are enough; the states to go on from are three times as large.
    for path in list_checkpoints(RunFolder.of(settings, settings.model_name).prefix):
        path.unlink()


def _end_with_parent():
    """End this process when the search is gone, however it ended."""
    multiprocessing.parent_process().join()
    os._exit(1)
