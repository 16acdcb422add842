"""Keras' own callbacks, given to `train`: called as `fit` calls them, each with its effect."""

import csv
import json
import signal

import cv2
import keras
import numpy as np
import pytest

from runs import contents, flags, newest, plain, rows, run
from segnet_hpu.errors import UsageError
from segnet_hpu.train import train
from segnet_hpu.training.callbacks import Callbacks

HOOKS = [f"on_{what}_{end}" for what in ("train", "epoch", "train_batch", "test", "test_batch")
         for end in ("begin", "end")]
STILL = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-3)


class Recorder(keras.callbacks.Callback):
    """Notes every call: (hook, epoch or batch, logs)."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for hook in HOOKS:
            setattr(self, hook, self._noting(hook))

    def _noting(self, hook):
        def note(*index, logs=None):
            if len(index) == 2 or (index and not isinstance(index[0], int)):
                *index, logs = index
            self.calls.append((hook, *index, dict(logs or {})))
        return note

    def called(self):
        return [call[:-1] for call in self.calls]

    def logs(self, hook):
        return [call[-1] for call in self.calls if call[0] == hook]


@pytest.fixture
def trained(tmp_path, data):
    """Train in this process, into tmp_path/run, 2 steps an epoch; return the rows of metrics.csv."""
    def trained(*callbacks, model=None, **settings):
        values = data | dict(epochs=3, batch_size=5, model_dir=str(tmp_path / "run")) | STILL | settings
        for name in ("model_name", "n_classes", "input_height", "input_width", "encoder_weights"):
            del values[name]  # the model brings them
        trained.history = train(model or plain(), callbacks=list(callbacks), **values)
        return rows(tmp_path) if values["model_dir"] == str(tmp_path / "run") else []
    return trained


def rates(found):
    return [float(row["learning_rate"]) for row in found]


def test_the_calls_are_those_of_fit(trained):
    ours, theirs, model = Recorder(), Recorder(), plain()
    trained(ours, epochs=2)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = np.zeros((10, 32, 48, 3), np.float32), np.zeros((10, 32, 48), np.uint8)
    model.fit(x, y, batch_size=5, epochs=2, verbose=0, callbacks=[theirs], validation_data=(x[:3], y[:3]),
              validation_batch_size=2)
    assert ours.called() == theirs.called()
    assert ours.params["epochs"] == 2 and ours.params["steps"] == 2


def test_logs_are_numbers_and_hold_the_validation_loss(trained):
    recorder = Recorder()
    found = trained(recorder, val_metrics=["road"], positive_class=2)
    ends = recorder.logs("on_epoch_end")
    assert [logs["val_loss"] for logs in ends] == [float(row["val_loss"]) for row in found]
    assert [logs["loss"] for logs in recorder.logs("on_test_end")] == [logs["val_loss"] for logs in ends]
    for logs in ends:
        assert not {"epoch", "step"} & set(logs)
    assert all(type(value) is float for *_, logs in recorder.calls for value in logs.values())
    assert recorder.logs("on_train_end") == ends[-1:]


def test_a_validation_batch_ends_with_the_loss_of_all_its_images(trained, data):
    recorder, model = Recorder(), plain()
    trained(recorder, model=model, epochs=1, val_batch_size=2)
    images, labels = ([cv2.imread(str(data[folder] / f"{i}.png"))[..., ::-1] for i in range(3)]
                      for folder in ("val_images", "val_annotations"))
    losses = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=None)(
        np.stack(labels)[..., 0], model.predict(np.stack(images), verbose=0))
    means = np.asarray(losses).mean((1, 2))
    assert [logs["loss"] for logs in recorder.logs("on_test_batch_end")] == pytest.approx(
        [means[:2].mean(), means.mean()], rel=1e-5)


def test_model_checkpoint(trained, tmp_path):
    trained(keras.callbacks.ModelCheckpoint(str(tmp_path / "w.{epoch:02d}.weights.h5"), save_weights_only=True),
            keras.callbacks.ModelCheckpoint(str(tmp_path / "best.keras"), monitor="val_loss", save_best_only=True),
            monitor="val_loss", learning_rate=0.05)
    assert sorted(p.name for p in tmp_path.glob("*.h5")) == [f"w.0{n}.weights.h5" for n in (1, 2, 3)]
    ours = keras.saving.load_model(tmp_path / "run/checkpoints/plain.best.keras", compile=False)
    theirs = keras.saving.load_model(tmp_path / "best.keras")
    for weights, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, other)


def test_callbacks_that_set_the_learning_rate(trained):
    halves = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    assert rates(trained(halves)) == pytest.approx([5e-4, 2.5e-4, 1.25e-4])


def test_reduce_lr_on_plateau(trained):
    reducer = keras.callbacks.ReduceLROnPlateau("val_loss", patience=1, min_delta=100, factor=0.1)
    assert rates(trained(reducer)) == pytest.approx([1e-3, 1e-3, 1e-4])


@pytest.mark.parametrize("callback", [keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate),
                                      keras.callbacks.ReduceLROnPlateau()])
def test_a_scheduled_rate_is_refused_before_anything_is_written(trained, tmp_path, callback):
    with pytest.raises(UsageError, match="cannot set the learning rate, which lr_schedule poly sets at every step; "
                                         "give lr_schedule constant without warmup_epochs"):
        trained(callback, lr_schedule="poly")
    assert not (tmp_path / "run").exists()


def test_a_rate_that_the_optimizer_schedules_itself_is_refused_by_its_name(trained, tmp_path):
    optimizer = keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(1e-3, 6))
    with pytest.raises(UsageError, match="which the schedule in optimizer_name SGD sets at every step; give the "
                                         "optimizer a number as its rate, or leave the callback out"):
        trained(keras.callbacks.ReduceLROnPlateau(), optimizer_name=optimizer, momentum=None, learning_rate=None)
    assert not (tmp_path / "run").exists()


def test_early_stopping_by_its_default(trained):
    class Weights(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.after_first = self.model.get_weights()

        def on_train_end(self, logs=None):
            self.last = self.model.get_weights()

    weights = Weights()
    stopping = keras.callbacks.EarlyStopping(patience=1, min_delta=100, restore_best_weights=True)
    assert len(trained(stopping, weights, epochs=4)) == 2
    assert stopping.monitor == "val_loss" and trained.history.epoch == [0, 1]
    for best, last in zip(weights.after_first, weights.last, strict=True):
        np.testing.assert_array_equal(best, last)


def test_a_run_that_a_callback_ended_stays_ended(trained, capsys):
    again = dict(epochs=4, auto_resume_checkpoint=True)
    for _ in range(2):
        assert len(trained(keras.callbacks.EarlyStopping(patience=1, min_delta=100), **again)) == 2
    assert "a callback ended this run after epoch 2 of 4; to go on" in capsys.readouterr().out
    assert len(trained(**again | dict(epochs=3))) == 3


def test_csv_logger_and_tensorboard(trained, tmp_path):
    found = trained(keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
                    keras.callbacks.TensorBoard(str(tmp_path / "board")))
    with open(tmp_path / "log.csv") as file:
        names, *written = csv.reader(file)
    assert len(names) == len(set(names)) and names[0] == "epoch"
    assert [float(row[names.index("val_loss")]) for row in written] == [float(row["val_loss"]) for row in found]
    assert {p.parent.name for p in (tmp_path / "board").rglob("events*")} >= {"train", "validation"}


def test_callbacks_that_count_steps_or_write_a_table_go_on(trained, tmp_path):
    for stops in ([StopAtStep(4)], []):
        board = keras.callbacks.TensorBoard(str(tmp_path / "board"), update_freq="batch")
        trained(keras.callbacks.CSVLogger(str(tmp_path / "log.csv")),
                keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}_{batch}.keras"), save_freq=2), board, *stops,
                steps_per_epoch=3, epochs=2, auto_resume_checkpoint=True)
    with open(tmp_path / "log.csv") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]
    assert sorted(p.name for p in tmp_path.glob("*_*.keras")) == ["1_2.keras", "2_1.keras", "2_3.keras"]
    assert board._global_train_batch == 6


def test_averages_are_not_exchanged_twice(trained):
    with pytest.raises(UsageError, match="would let training go on from the averages; leave it out"):
        trained(keras.callbacks.SwapEMAWeights(swap_on_epoch=True), ema=0.9)


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def test_the_model_ends_with_the_averages_that_were_judged(trained, tmp_path):
    """Of the last epoch, as after `fit`; with EarlyStopping(restore_best_weights=True) those of the best."""
    model, best = plain(), tmp_path / "run/checkpoints/plain.best.keras"
    for epochs in (2, 2):  # and a run that is only resumed
        trained(model=model, ema=0.5, learning_rate=0.05, epochs=epochs, auto_resume_checkpoint=True)
        for ours, kept in zip(model.get_weights(), weights_of(newest(tmp_path / "run")), strict=True):
            np.testing.assert_array_equal(ours, kept)
    again, stopping = plain(), keras.callbacks.EarlyStopping("val_loss", restore_best_weights=True, patience=9)
    best = tmp_path / "stopped/checkpoints/plain.best.keras"
    trained(stopping, model=again, ema=0.5, learning_rate=0.05, epochs=4, monitor="val_loss", seed=3,
            model_dir=str(tmp_path / "stopped"))
    for ours, kept in zip(again.get_weights(), weights_of(best), strict=True):
        np.testing.assert_array_equal(ours, kept)


def test_terminate_on_nan_ends_the_run_without_its_weights(trained, tmp_path):
    found = []
    callbacks = [keras.callbacks.TerminateOnNaN(),
                 keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: found.append(logs["loss"]))]
    trained(*callbacks[1:], epochs=1)
    trained(*callbacks, epochs=9, learning_rate=1e30, auto_resume_checkpoint=True, allow_change="learning_rate")
    assert np.isfinite(found[0]) and not np.isfinite(found[-1]) and len(found) < 9
    for path in (tmp_path / "run/checkpoints").glob("*.keras"):
        for weights in keras.saving.load_model(path, compile=False).get_weights():
            assert np.isfinite(weights).all(), path


class StopAtStep(keras.callbacks.Callback):
    """Asks for the end at a step of the whole run."""

    def __init__(self, step=3):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = int(self.model.optimizer._iterations) == self.step


def test_an_epoch_ends_where_a_callback_asks_for_it_and_goes_on_from_there(trained, tmp_path):
    recorder = Recorder()
    found = trained(StopAtStep(), recorder)
    assert [row["epoch"] for row in found] == ["1"]
    assert recorder.called()[-2:] == [("on_epoch_end", 1), ("on_train_end",)]
    assert newest(tmp_path / "run").name == "plain.1-1.keras"
    assert [row["step"] for row in trained(auto_resume_checkpoint=True)] == ["2", "4", "6"]


class Halves(keras.callbacks.Callback):
    """At every epoch's begin halves the rate and the weights, and counts."""

    begun = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.begun += 1
        rate = self.model.optimizer.learning_rate
        rate.assign(rate / 2)
        for variable in self.model.trainable_variables:
            variable.assign(variable / 2)

    def get_state(self):
        return self.begun

    def set_state(self, state):
        self.begun = state


def test_an_epoch_that_goes_on_is_not_begun_twice(trained, tmp_path):
    for name, stops in (("whole", []), ("stopped", [StopAtStep()])):
        keras.utils.set_random_seed(0)
        trained(Halves(), *stops, epochs=2, model_dir=str(tmp_path / name), model=plain())
        last = Halves()
        if stops:
            trained(last, epochs=2, model_dir=str(tmp_path / name), auto_resume_checkpoint=True)
    assert last.begun == 2
    ours, theirs = (contents(newest(tmp_path / name)) for name in ("whole", "stopped"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def test_backup_and_restore_begins_where_the_backup_ends(tmp_path, data):
    backup = keras.callbacks.BackupAndRestore(str(tmp_path / "backup"))
    argv = flags(**data | STILL, epochs=3, batch_size=5)
    status, _, err = run(tmp_path, *argv, model=plain, callbacks=[backup], signal_at=(signal.SIGKILL, ("step", 3)))
    assert status == -signal.SIGKILL, err
    status, _, err = run(tmp_path, *argv, "--model_dir=again", model=plain, callbacks=[backup])
    assert status == 0, err
    with open(tmp_path / "again/metrics.csv") as file:
        assert [(row["epoch"], row["step"]) for row in csv.DictReader(file)] == [("2", "4"), ("3", "6")]


def test_a_backup_of_averages_goes_on_as_if_nothing_had_happened(tmp_path, data):
    """It holds the weights as they are, and the optimizer with the averages."""
    argv = flags(**data, epochs=3, batch_size=5, ema=0.9, learning_rate=0.01)
    backup = keras.callbacks.BackupAndRestore("backup")
    for name, kill in (("whole", None), ("killed", (signal.SIGKILL, ("step", 3)))):
        (tmp_path / name).mkdir()
        run(tmp_path / name, *argv, model=plain, callbacks=[backup], signal_at=kill)
    status, _, err = run(tmp_path / "killed", *argv, "--model_dir=again", model=plain, callbacks=[backup])
    assert status == 0, err
    whole, again = contents(newest(tmp_path / "whole/run")), contents(newest(tmp_path / "killed/again"))
    for name in whole:
        np.testing.assert_array_equal(again[name], whole[name], err_msg=name)


class Counter(keras.callbacks.Callback):
    """Multiplies the rate at every epoch by what it counted; what it counts goes into checkpoints."""

    def __init__(self):
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1
        self.model.optimizer.learning_rate = 0.01 / self.epochs

    def get_state(self):
        return {"epochs": self.epochs}

    def set_state(self, state):
        self.epochs = state["epochs"]


@pytest.mark.parametrize("callback", [
    Counter(), keras.callbacks.ReduceLROnPlateau("val_loss", patience=2, min_delta=100, factor=0.5)])
@pytest.mark.parametrize("moment", [("step", 5), ("saved", 2)])
def test_a_killed_run_goes_on_with_its_callbacks(tmp_path, data, callback, moment):
    argv = flags(**data, epochs=4, batch_size=5, save_steps=1)
    for name, kill in (("whole", None), ("killed", (signal.SIGKILL, moment))):
        (tmp_path / name).mkdir()
        run(tmp_path / name, *argv, model=plain, callbacks=[callback], signal_at=kill)
    status, _, err = run(tmp_path / "killed", *argv, "--auto_resume_checkpoint", model=plain, callbacks=[callback])
    assert status == 0, err
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole") and len(set(rates(rows(tmp_path / "whole")))) > 1
    ours, theirs = (contents(newest(tmp_path / name / "run")) for name in ("whole", "killed"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


class Unsaveable(Counter):
    def get_state(self):
        return {"counts": np.zeros(2)}


def test_a_state_that_json_does_not_hold_is_refused_before_the_first_step(trained, tmp_path):
    with pytest.raises(UsageError, match=r"get_state\(\) of the callback Unsaveable: TypeError: .* not JSON "
                                         "serializable; expected values that JSON holds"):
        trained(Unsaveable())
    assert not list(tmp_path.glob("run/**/*.keras"))


def test_it_is_said_whose_state_is_lost(capsys):
    callbacks = [keras.callbacks.EarlyStopping(patience=3), Counter(), Recorder(), keras.callbacks.TerminateOnNaN(),
                 keras.callbacks.EarlyStopping(restore_best_weights=True)]
    made = Callbacks(callbacks, plain(), 1, 1)
    callbacks[0].wait, callbacks[1].epochs = 2, 7
    state = json.loads(json.dumps(made.state()))
    callbacks[0].wait = callbacks[1].epochs = 0
    made.restore(state)
    assert callbacks[0].wait == 2 and callbacks[1].epochs == 7
    assert "warning: Recorder, EarlyStopping starts anew" in capsys.readouterr().err


def test_another_rate_is_taken_on_resume_unless_a_callback_had_set_it(trained):
    trained(epochs=1)
    given = dict(learning_rate=5e-4, auto_resume_checkpoint=True)
    assert rates(trained(epochs=2, allow_change="learning_rate", **given)) == pytest.approx([1e-3, 5e-4])
    trained(keras.callbacks.LearningRateScheduler(lambda epoch, rate: 2e-4), epochs=3, **given)
    assert rates(trained(epochs=4, **given))[-1] == pytest.approx(2e-4)


def test_a_second_train_in_one_process_asks_in_python(trained):
    trained(epochs=1)
    with pytest.raises(UsageError, match="already holds a run; add auto_resume_checkpoint=True to go on with it, or "
                                         "choose another model_dir or checkpoints_path$"):
        trained(epochs=1)
    assert len(trained(epochs=2, auto_resume_checkpoint=True)) == 2


def test_the_rate_in_the_table_is_that_of_the_step_that_was_made(trained):
    found = trained(lr_schedule="poly", poly_power=1.0)
    assert rates(found) == pytest.approx([1e-3 * (1 - step / 6) for step in (1, 3, 5)])


def test_wandb(trained, tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    from wandb.integration.keras import WandbMetricsLogger, WandbModelCheckpoint

    monkeypatch.setenv("WANDB_SILENT", "true")
    with wandb.init(project="test", mode="offline", dir=tmp_path) as logged:
        found = trained(WandbMetricsLogger(log_freq="batch"), WandbModelCheckpoint(str(tmp_path / "best.keras")))
        assert logged.summary["epoch/val_loss"] == float(found[-1]["val_loss"])
    assert (tmp_path / "best.keras").exists()


def test_mlflow(trained, tmp_path, monkeypatch):
    pytest.importorskip("mlflow.keras", exc_type=ImportError)
    import mlflow
    from mlflow.keras import MlflowCallback

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlflow").as_uri())
    with mlflow.start_run() as logged:
        found = trained(MlflowCallback())
    metrics = mlflow.get_run(logged.info.run_id).data.metrics
    assert metrics["val_loss"] == pytest.approx(float(found[-1]["val_loss"]))
