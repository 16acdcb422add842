"""Keras callbacks, called as Keras' own `fit` calls them."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras

from segnet_hpu.errors import UsageError, users_code, warn
from segnet_hpu.training.step.rising_momentum import exchanged

# What Keras' callbacks remember from one epoch to the next; they have no call that gives it.
_REMEMBERED = {
    "EarlyStopping": ("wait", "best", "best_epoch", "stopped_epoch"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
    "ModelCheckpoint": ("best", "_batches_seen_since_last_saving", "_last_batch_seen"),
    "TensorBoard": ("_global_train_batch", "_global_test_batch"),
}
_REMEMBERS_NOTHING = ("History", "LambdaCallback", "LearningRateScheduler", "TerminateOnNaN", "CSVLogger",
                      "ProgbarLogger", "RemoteMonitor", "BackupAndRestore", "SwapEMAWeights")
_SETS_THE_RATE = ("LearningRateScheduler", "ReduceLROnPlateau")


class Callbacks(keras.callbacks.CallbackList):
    """A run's callbacks. What those of Keras remember, and others that have get_state() and set_state(state),
    of JSON-able values, goes into checkpoints and comes back from them.

    callbacks: one, or any nesting of them, or a CallbackList; a History is added. epochs, steps: of the run, and
    of one epoch.
    """

    def __init__(self, callbacks: Any, model: keras.Model, epochs: int, steps: int) -> None:
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = callbacks.callbacks
        callbacks = list(keras.tree.flatten(callbacks)) if callbacks else []
        for callback in callbacks:
            if isinstance(callback, type) or not hasattr(callback, "set_model"):
                raise UsageError(f"callbacks has {callback!r}; expected objects of keras.callbacks.Callback")
            if _class_of(callback) == "SwapEMAWeights" and callback.swap_on_epoch:
                raise UsageError("SwapEMAWeights(swap_on_epoch=True) would let training go on from the averages; "
                                 "leave it out: where there are averages, they are judged and saved anyway")
        super().__init__(callbacks, add_history=True, model=model, verbose=0,
                         epochs=epochs, steps=steps)

    def refuse_to_set_rate(self, source: str, cure: str) -> None:
        """Raise UsageError where a callback of Keras would set the rate, which `source` sets at every step."""
        for callback in self.callbacks:
            if _class_of(callback) in _SETS_THE_RATE:
                raise UsageError(f"{_class_of(callback)} cannot set the learning rate, which {source} sets at every "
                                 f"step; give {cure}, or leave the callback out")

    def keep_tables(self) -> None:
        """Let each CSVLogger go on with its file: before on_train_begin, which empties it."""
        for callback in self.callbacks:
            if _class_of(callback) == "CSVLogger":
                callback.append = True

    def drop_rows(self, epoch: int) -> None:
        """Remove the last rows of a CSVLogger's file that are of epochs from `epoch` on, which will be done again."""
        paths = [Path(callback.filename) for callback in self.callbacks if _class_of(callback) == "CSVLogger"]
        for path in (path for path in paths if path.exists()):
            lines = path.read_bytes().splitlines(keepends=True)
            while lines and (number := re.match(rb"\d+", lines[-1])) and int(number[0]) >= epoch:
                lines.pop()
            path.write_bytes(b"".join(lines))

    def end_epoch(self, epoch: int, logs: dict[str, float], averaged: AbstractContextManager[None]) -> None:
        """Call on_epoch_end; within `averaged`, so that what is saved is what was judged.

        BackupAndRestore saves what training goes on from, and is called outside.
        """
        resuming = [callback for callback in self.callbacks if _class_of(callback) == "BackupAndRestore"]
        others = [callback for callback in self.callbacks if callback not in resuming]
        with averaged, exchanged([self], "callbacks", [others]):
            self.on_epoch_end(epoch, logs)
        with exchanged([self], "callbacks", [resuming]):
            self.on_epoch_end(epoch, logs)

    def state(self) -> dict[str, Any]:
        """Return what the callbacks remember, {position and class: JSON-able state}; UsageError where it is not."""
        states = {key: _state_of(callback) for key, callback in self._by_key()}
        return {key: state for key, state in states.items() if state is not None}

    def restore(self, states: Mapping[str, Any], quiet: bool = False) -> None:
        """Give the callbacks back what `state` returned, after on_train_begin; warn of those that start anew."""
        anew = []
        for key, callback in self._by_key():
            if key in states:
                _set_state(callback, states[key])
            elif _class_of(callback) not in _REMEMBERS_NOTHING:
                anew.append(type(callback).__name__)
        if anew and not quiet:
            warn(f"{', '.join(anew)} starts anew: the checkpoint does not hold what it remembers; that of a callback "
                 "with get_state() and set_state(state) is kept")

    def names(self) -> list[str]:
        """Return the classes of the callbacks, in their order."""
        return [type(callback).__name__ for callback in self.callbacks]

    def _by_key(self) -> Iterable[tuple[str, keras.callbacks.Callback]]:
        return ((f"{i} {type(callback).__name__}", callback) for i, callback in enumerate(self.callbacks))


def logs_of(record: Mapping[str, float | None]) -> dict[str, float]:
    """Return an epoch's record as Keras' callbacks know it: numbers, without the epoch's own and the step's.

    A score that the labels do not allow is NaN.
    """
    return {name: float("nan") if value is None else float(value) for name, value in record.items()
            if name not in ("epoch", "step")}


def _class_of(callback: keras.callbacks.Callback) -> str:
    """The name of the Keras class that a callback is of, or its own."""
    names = [cls.__name__ for cls in type(callback).__mro__ if cls.__module__.startswith("keras.")]
    return next((name for name in names if name != "Callback"), type(callback).__name__)


def _state_of(callback: Any) -> Any:
    if hasattr(callback, "get_state"):
        with users_code(f"get_state() of the callback {type(callback).__name__}", "values that JSON holds"):
            state = callback.get_state()
            json.dumps(state)
        return state
    # Weights of the best epoch are too much for a checkpoint; without them the rest means nothing.
    if getattr(callback, "restore_best_weights", False):
        return None
    names = _REMEMBERED.get(_class_of(callback), ())
    return {name: value for name, value in vars(callback).items() if name in names} or None


def _set_state(callback: Any, state: Any) -> None:
    if hasattr(callback, "set_state"):
        callback.set_state(state)
        return
    for name, value in state.items():
        setattr(callback, name, value)
