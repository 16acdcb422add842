"""Keeps a run's state in checkpoints: the newest few, and the best."""

import copy
import dataclasses
import time
from pathlib import Path

import keras
import numpy as np

from segnet_hpu.errors import warn
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.runtime.keras_internals import rate_variable
from segnet_hpu.runtime.ranks import Ranks
from segnet_hpu.training import checkpoint
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.made_with import allowed_changes
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.state import EpochSums, State
from segnet_hpu.training.variables import to_numpy

Snapshot = tuple[State, list[np.ndarray]]  # a copy of the state and of all variables' values


class CheckpointWriter:
    """Writes and restores a run's checkpoints; rank 0 writes, all ranks take part.

    trained: its network is compiled; a resumed run must share its `made_with`. averaged: of its weights.
    """

    def __init__(self, settings: Settings, folder: RunFolder, trained: TrainedModel, steps_per_epoch: int,
                 ranks: Ranks, averaged: AveragedWeights) -> None:
        self.settings, self.folder, self.trained, self.averaged = settings, folder, trained, averaged
        self.steps_per_epoch, self.ranks = steps_per_epoch, ranks
        self.rate = rate_variable(trained.network.optimizer)
        self.initial_rate = _value_of(self.rate)
        self.saved = time.monotonic()

    def resume(self, fresh: State) -> State:
        """Return the State to go on from; set all ranks' models to it.

        It is that of the newest readable checkpoint, if that is wanted and there is one, else rank 0's `fresh`.
        """
        state = self.ranks.first(lambda: self._read_newest() or fresh)
        if self.ranks.size == 1:
            return state
        return self.restore(self.ranks.first(lambda: self.snapshot(state)))

    def _read_newest(self) -> State | None:
        if not self.settings.auto_resume_checkpoint:
            return None
        state = checkpoint.restore_newest(self.folder.prefix, self.trained.network, self.trained.made_with, warn,
                                          allowed_changes(self.settings))
        if state is not None and self.rate is not None:
            # As the settings have it, which may be others now, unless a callback had set it.
            self.rate.assign(self.initial_rate if state.learning_rate is None else state.learning_rate)
        if state is not None:
            self.mend_best(state)
        return state

    def is_due(self) -> bool:
        """Return whether the last checkpoint is too long ago."""
        return time.monotonic() - self.saved > self.settings.save_minutes * 60

    def snapshot(self, state: State) -> Snapshot:
        """Return a copy of `state` and of all variables' values."""
        variables = checkpoint.all_variables(self.trained.network)
        return copy.deepcopy(state), [to_numpy(v) for v in variables]

    def restore(self, snapshot: Snapshot) -> State:
        """Set the variables to those of rank 0's snapshot; return its State."""
        state, values = copy.deepcopy(snapshot[0]), snapshot[1]
        for variable, value in zip(checkpoint.all_variables(self.trained.network), values, strict=True):
            # Dropout has to differ from rank to rank: its states are (seed, count).
            offset = (self.ranks.rank, 0) if variable.path.endswith("seed_generator_state") else 0
            variable.assign(value + np.asarray(offset, value.dtype))
        if not self.ranks.leads:
            state.sums = EpochSums()
        return state

    def gather(self, state: State) -> None:
        """Bring together what each rank holds of its own: means to all ranks, the epoch's sums to rank 0."""
        self.ranks.level(checkpoint.variables_of_ranks(self.trained.network))
        sums = self.ranks.sum(np.array(dataclasses.astuple(state.sums)))
        state.sums = EpochSums(*sums.tolist()) if self.ranks.leads else EpochSums()

    def save(self, state: State) -> None:
        """Write a checkpoint of `state` and remove what is not needed any more."""
        self.gather(state)
        rate = _value_of(self.rate)
        state.learning_rate = None if rate == self.initial_rate else rate
        if self.ranks.leads:
            path = checkpoint.checkpoint_path(self.folder.prefix, state, self.steps_per_epoch)
            checkpoint.save_checkpoint(path, self.trained, state, self.averaged)
            self._clear(path)
        self.saved = time.monotonic()

    def _clear(self, newest: Path) -> None:
        """Remove the oldest checkpoints, broken ones of later steps, and what a kill left half written."""
        known = checkpoint.list_checkpoints(self.folder.prefix)
        at = known.index(newest)
        needless = [*known[:max(0, at + 1 - self.settings.keep_checkpoints)], *known[at + 1:]]
        for path in [*needless, *checkpoint.list_partial(self.folder.prefix)]:
            path.unlink()

    def mend_best(self, state: State) -> None:
        """Where the best epoch's file is missing or damaged, make it again from that epoch's checkpoint.

        Where that is gone too, the model as it is now takes its place, until an epoch comes to its end.
        """
        if state.best_score is None or not (fault := checkpoint.fault(self.folder.best)):
            return
        of_best = Path(f"{self.folder.prefix}.{state.best_epoch}.keras")
        if checkpoint.fault(of_best):
            warn(f"{self.folder.best} {fault}, and no checkpoint of epoch {state.best_epoch}, the best one, is left: "
                 f"the model of epoch {state.epoch} takes its place, until a later epoch is done")
            self.save_best()
            state.forget_best()
        else:
            warn(f"{self.folder.best} {fault}; made again from {of_best}")
            load(of_best).save(self.folder.best, checkpoint.ADVICE)

    def save_best(self) -> None:
        """Write the model as the best one so far."""
        if self.ranks.leads:
            with self.averaged:
                self.trained.save(self.folder.best, checkpoint.ADVICE)


def _value_of(rate: keras.Variable | None) -> float | None:
    return None if rate is None else float(to_numpy(rate))
