"""Runs that end early: on a signal, without gain, or because a callback says so."""

import os
import signal
from functools import partial

import keras
import numpy as np
import pytest

from runs import contents, flags, newest, plain, rows, run, small
from segnet_hpu.data import loader
from segnet_hpu.data.sampling import Stream
from segnet_hpu.training.run import Run

STILL = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-12, batch_size=5)  # nothing is learned


@pytest.mark.parametrize("number,status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_after_its_step_and_the_run_goes_on_from_there(tmp_path, data, number, status):
    argv = flags(**data | dict(validate=False), epochs=2, batch_size=2)
    found, _, err = run(tmp_path, *argv, model=small, signal_at=(number, ("step", 3)))
    assert found == status
    assert ("segnet-hpu: stopped in epoch 1 at step 3; saved: the same command with --auto_resume_checkpoint "
            "goes on from here") in err
    # No epoch done, three steps of the first.
    assert [p.name for p in (tmp_path / "run/checkpoints").glob("*.keras")] == ["vgg_segnet.0-3.keras"]
    found, out, err = run(tmp_path, *argv, "--auto_resume_checkpoint", model=small)
    assert found == 0 and "going on at step 3 (epoch 1)" in out, err
    assert [row["step"] for row in rows(tmp_path)] == ["5", "10"]


def signal_while_waiting(number, step):
    """Send the process a signal when it waits for the batch of a step, which is when the next one is begun."""
    make, wait, done = Stream.batch, Run._next, []

    def late(stream, of_step):
        if of_step == step + 1 and done[-1] == step:
            os.kill(os.getpid(), number)
        return make(stream, of_step)

    def wait_for(run, batches):
        done.append(run.state.step)
        return wait(run, batches)

    Stream.batch, Run._next = late, wait_for
    loader.AHEAD = 0


def assert_goes_on(folder, whole, argv, step, model):
    """A run that has stopped at a step comes to the same end as a whole one."""
    found, out, err = run(folder, *argv, "--auto_resume_checkpoint", model=model)
    assert found == 0 and f"going on at step {step} " in out, err
    ours, theirs = contents(newest(folder / "run")), contents(newest(whole / "run"))
    for name in theirs:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert rows(folder) == rows(whole)
    assert (folder / "run/evaluation.json").read_bytes() == (whole / "run/evaluation.json").read_bytes()


class SignalAtTest(keras.callbacks.Callback):
    """Sends its process a signal in the middle of a validation."""

    def on_test_batch_begin(self, batch, logs=None):
        os.kill(os.getpid(), signal.SIGTERM)


class SignalAtEnd(keras.callbacks.Callback):
    """Sends its process a signal when the last epoch is over."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    """(folder, argv) of a run of two epochs of five steps that nothing has stopped."""
    folder, argv = tmp_path_factory.mktemp("whole"), flags(**data, epochs=2, batch_size=2, val_pictures=0, ema=0.9)
    status, _, err = run(folder, *argv, model=small)
    assert status == 0, err
    return folder, argv


@pytest.mark.parametrize("options,step", [
    (dict(patch=partial(signal_while_waiting, signal.SIGTERM, 3)), 3),
    (dict(callbacks=[SignalAtTest()]), 5),
    (dict(callbacks=[SignalAtEnd()]), 10)])
def test_it_stops_while_it_waits_for_data_or_validates_and_loses_nothing(tmp_path, whole, options, step):
    found, _, err = run(tmp_path, *whole[1], model=small, **options)
    words = f"stopped in epoch {1} at step {step}" if step < 10 else "trained to the end"
    assert found == 143 and f"segnet-hpu: {words}; saved: the same command with" in err
    assert newest(tmp_path / "run").name == {3: "vgg_segnet.0-3.keras", 5: "vgg_segnet.0-5.keras",
                                             10: "vgg_segnet.2.keras"}[step]
    assert_goes_on(tmp_path, *whole, step, small)


def test_before_the_first_step_nothing_is_saved(tmp_path, whole):
    found, _, err = run(tmp_path, *whole[1], model=small, patch=partial(signal_while_waiting, signal.SIGINT, 0))
    assert found == 130 and err.splitlines()[-1] == "segnet-hpu: stopped before the first step"
    assert not list((tmp_path / "run/checkpoints").glob("*.keras"))
    found, _, err = run(tmp_path, *whole[1], model=small)
    assert found == 0, err


def test_early_stopping_counts_on_after_a_kill(tmp_path, data):
    argv = flags(**data, **STILL, epochs=6, early_stopping=2, auto_resume_checkpoint=True)
    found, _, err = run(tmp_path, *argv, model=plain, signal_at=(signal.SIGKILL, ("epoch", 2)))
    assert found == -signal.SIGKILL, (found, err)
    found, out, err = run(tmp_path, *argv, model=plain)
    assert found == 0, (found, err)
    # Epoch 1 is the best; two epochs without gain follow.
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"]
    assert len({row["val_mean_iou"] for row in rows(tmp_path)}) == 1
    assert "best epoch 1" in out


def test_a_finished_command_does_not_train_again(tmp_path, data):
    argv = flags(**data, **STILL, epochs=2, auto_resume_checkpoint=True)
    found, _, err = run(tmp_path, *argv, model=plain)
    assert found == 0, (found, err)
    checkpoint = newest(tmp_path / "run")
    written, arrays, metrics = checkpoint.stat().st_mtime_ns, contents(checkpoint), rows(tmp_path)
    found, out, err = run(tmp_path, *argv, model=plain)
    assert found == 0 and "mean IoU" in out, err
    assert "epoch 2/2: loss" not in out
    assert newest(tmp_path / "run") == checkpoint and checkpoint.stat().st_mtime_ns == written
    assert rows(tmp_path) == metrics and arrays.keys() == contents(checkpoint).keys()
    found, out, err = run(tmp_path, *argv, "--epochs=3", model=plain)
    assert found == 0 and [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3"], err


class StopAfter(keras.callbacks.Callback):
    """Asks for the end at epoch `n`, and checks what callbacks are told."""

    def __init__(self, n):
        super().__init__()
        self.n, self.batches = n, 0

    def on_train_batch_end(self, batch, logs=None):
        assert batch == self.batches % 5 and np.isfinite(logs["loss"])
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        assert self.batches == 5 * (epoch + 1) and "epoch" not in logs and 0 <= logs["val_mean_iou"] <= 1
        self.model.stop_training = epoch + 1 == self.n


def test_a_callback_ends_the_run(tmp_path, data):
    found, out, err = run(tmp_path, *flags(**data, epochs=5), model=plain, callbacks=[StopAfter(2)])
    assert found == 0, (found, err)
    assert len(rows(tmp_path)) == 2
    assert (tmp_path / "run/evaluation.json").exists()
