"""One run folder, one training; what a killed one has left locks nothing, and what is gone is missed."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from runs import flags, newest, plain, rows, run, start
from segnet_hpu.errors import UsageError
from segnet_hpu.training.run_lock import RunLock

HOLD = """
import sys, time
from pathlib import Path
from segnet_hpu.training.run_lock import RunLock
lock = RunLock([Path(sys.argv[1])])
lock.take()
print("held", flush=True)
time.sleep(100)
"""


@pytest.fixture
def held(tmp_path):
    """A lock's path and the process that holds it."""
    path = tmp_path / ".lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])})
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.communicate()


def test_another_process_is_named_and_a_killed_one_locks_nothing(held):
    path, process = held
    for attempt in (RunLock.take, RunLock.refuse_held):
        words = rf"another training writes into {path.parent} \(process {process.pid} on "
        with RunLock([path]) as lock, pytest.raises(UsageError, match=words):
            attempt(lock)
    process.kill()
    process.wait()
    assert json.loads(path.read_text())["pid"] == process.pid  # it could not clear it
    RunLock([path]).refuse_held()
    with RunLock([path]) as lock:
        lock.take()
        assert json.loads(path.read_text())["pid"] == os.getpid() and lock.in_place()
        with pytest.raises(UsageError, match=f"process {os.getpid()} on"):  # in one process, too
            RunLock([path]).refuse_held()
    assert not path.exists()
    RunLock([path]).refuse_held()


def test_it_is_known_when_the_file_is_gone_or_another_one(tmp_path):
    path = tmp_path / ".lock"
    with RunLock([path]) as lock:
        lock.take()
        assert lock.in_place()
        path.unlink()
        assert not lock.in_place()
        path.touch()
        assert not lock.in_place()


class Meet(keras.callbacks.Callback):
    """Waits in its first step until another process has come and gone."""

    def on_train_batch_end(self, batch, logs=None):
        Path("training").touch()
        while not Path("seen").exists():
            pass


@pytest.mark.parametrize("places", [dict(model_dir="run"),
                                    dict(model_dir="other", checkpoints_path="run/checkpoints/vgg_segnet")])
def test_a_second_training_is_refused_and_the_first_goes_on(tmp_path, data, places):
    """Also where only the checkpoints would be the same; as with `torchrun ... train`."""
    argv = flags(**data | dict(validate=False), epochs=1, batch_size=5)
    first = start(tmp_path, argv, model=plain, callbacks=[Meet()])
    while not (tmp_path / "training").exists():
        assert first.is_alive(), (tmp_path / "err.txt").read_text()
    second = tmp_path / "second"
    second.mkdir()
    (second / "run").symlink_to(tmp_path / "run")
    status, _, err = run(second, *argv, *flags(**places), model=plain)
    (tmp_path / "seen").touch()
    first.join()
    assert first.exitcode == 0 and len(rows(tmp_path)) == 1
    last = err.splitlines()[-1]
    assert status == 2 and "another training writes into run" in last and f"process {first.pid} on" in last
    assert "--auto_resume_checkpoint" not in last


class Remove(keras.callbacks.Callback):
    """Removes a path at the beginning of the second epoch."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            (shutil.rmtree if os.path.isdir(self.path) else os.remove)(self.path)


@pytest.mark.parametrize("epochs", [2, 3])
def test_a_folder_that_is_removed_ends_the_run(tmp_path, data, epochs):
    status, _, err = run(tmp_path, *flags(**data, epochs=epochs, batch_size=5), model=plain,
                         callbacks=[Remove("run")])
    assert status == 1 and "run was removed or replaced while the run was writing into it" in err.splitlines()[-1]
    assert not (tmp_path / "run").exists()


def damage(path):
    path.write_bytes(path.read_bytes()[:-500])


@pytest.mark.parametrize("spoil,words", [(Path.unlink, "is missing"), (damage, "is damaged")])
def test_the_best_model_is_made_again_from_its_epochs_checkpoint(tmp_path, data, spoil, words):
    argv = flags(**data, epochs=2, batch_size=5, auto_resume_checkpoint=True, keep_checkpoints=9, learning_rate=1e-9)
    status, out, err = run(tmp_path, *argv, model=plain)
    assert status == 0 and "best epoch" in out, err
    best = tmp_path / "run/checkpoints/vgg_segnet.best.keras"
    before = keras.saving.load_model(best, compile=False).get_weights()
    scores = (tmp_path / "run/evaluation.json").read_bytes()
    spoil(best)
    status, out, err = run(tmp_path, *argv, model=plain)
    assert status == 0 and f"best.keras {words}" in err and "made again from run/checkpoints/vgg_segnet." in err, err
    for one, other in zip(before, keras.saving.load_model(best, compile=False).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "run/evaluation.json").read_bytes() == scores


def test_where_no_checkpoint_of_the_best_epoch_is_left_a_later_one_takes_its_place(tmp_path, data):
    # The rate is so high that the first epoch, still near its start, stays the best by loss.
    argv = flags(**data | dict(validate=False), epochs=3, batch_size=5, auto_resume_checkpoint=True,
                 optimizer_name="sgd", learning_rate=1e-12, early_stopping=2, keep_checkpoints=1)
    status, _, err = run(tmp_path, *argv, model=plain, signal_at=(signal.SIGKILL, ("epoch", 2)))
    assert status == -signal.SIGKILL, err
    best, last = tmp_path / "run/checkpoints/vgg_segnet.best.keras", newest(tmp_path / "run")
    last_weights = keras.saving.load_model(last, compile=False).get_weights()
    best.write_bytes(b"")
    (tmp_path / "run/checkpoints/vgg_segnet.1.keras").unlink(missing_ok=True)
    status, out, err = run(tmp_path, *argv, *flags(epochs=2), model=plain)
    assert status == 0, err
    if "takes its place" in err:  # else epoch 2 was the better one by its last digit
        assert "no checkpoint of epoch 1, the best one, is left: the model of epoch 2 takes its place" in err
    for one, other in zip(last_weights, keras.saving.load_model(best, compile=False).get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
