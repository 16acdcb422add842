"""Runs that end early: on a signal, without gain, or because a callback says so."""

import signal

import keras
import numpy as np
import pytest

from runs import contents, flags, newest, plain, rows, run, small

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
