"""Keeps a run's state in checkpoints: the newest few, and the best."""

import copy
import dataclasses
import time

import numpy as np

from segnet_hpu.errors import warn
from segnet_hpu.training import checkpoint
from segnet_hpu.training.state import EpochSums, State


class Keeper:
    """Writes and restores a run's checkpoints; rank 0 writes, all ranks take part.

    places: a RunFolder. trained: a TrainedModel, its network compiled.
    """

    def __init__(self, settings, places, trained, steps_per_epoch, ranks):
        self.settings, self.places, self.trained, self.model = settings, places, trained, trained.network
        self.steps_per_epoch, self.ranks = steps_per_epoch, ranks
        self.saved = time.monotonic()

    def resume(self):
        """Set all ranks' models to the newest readable checkpoint, if that is wanted and there is one, else to
        rank 0's; return the State to go on from."""
        state = self.ranks.first(self._read_newest)
        if self.ranks.size == 1:
            return state
        return self.restore(self.ranks.first(lambda: self.snapshot(state)))

    def _read_newest(self):
        restored = self.settings.auto_resume_checkpoint and checkpoint.restore_newest(
            self.places.prefix, self.model, self.trained.made_with, warn)
        return restored or State()

    def is_due(self):
        """Return whether the last checkpoint is too long ago."""
        return time.monotonic() - self.saved > self.settings.save_minutes * 60

    def snapshot(self, state):
        """Return a copy of `state` and of all variables' values."""
        return copy.deepcopy(state), [checkpoint.to_numpy(v) for v in checkpoint.all_variables(self.model)]

    def restore(self, snapshot):
        """Set the variables to those of rank 0's snapshot; return its State."""
        state, values = copy.deepcopy(snapshot[0]), snapshot[1]
        for variable, value in zip(checkpoint.all_variables(self.model), values, strict=True):
            # Dropout has to differ from rank to rank: its states are (seed, count).
            apart = (self.ranks.rank, 0) if variable.path.endswith("seed_generator_state") else 0
            variable.assign(value + np.asarray(apart, value.dtype))
        if not self.ranks.leads:
            state.sums = EpochSums()
        return state

    def gather(self, state):
        """Bring together what each rank holds of its own: means to all ranks, the epoch's sums to rank 0."""
        self.ranks.level(checkpoint.variables_of_ranks(self.model))
        sums = self.ranks.sum(np.array(dataclasses.astuple(state.sums)))
        state.sums = EpochSums(*sums.tolist()) if self.ranks.leads else EpochSums()

    def save(self, state):
        """Write a checkpoint of `state` and remove what is not needed any more."""
        self.gather(state)
        if self.ranks.leads:
            path = checkpoint.checkpoint_path(self.places.prefix, state, self.steps_per_epoch)
            checkpoint.save_checkpoint(path, self.trained, state)
            self._clear(path)
        self.saved = time.monotonic()

    def _clear(self, newest):
        """Remove the oldest checkpoints, broken ones of later steps, and what a kill left half written."""
        known = checkpoint.list_checkpoints(self.places.prefix)
        at = known.index(newest)
        needless = [*known[:max(0, at + 1 - self.settings.keep_checkpoints)], *known[at + 1:]]
        for path in [*needless, *checkpoint.list_partial(self.places.prefix)]:
            path.unlink()

    def save_best(self):
        """Write the model as the best one so far."""
        if self.ranks.leads:
            with checkpoint.averaged_weights(self.model):
                self.trained.save(self.places.best, checkpoint.ADVICE)
