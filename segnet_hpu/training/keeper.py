"""Keeps a run's state in checkpoints: the newest few, and the best."""

import sys
import time

from segnet_hpu.training import checkpoint
from segnet_hpu.training.state import State


class Keeper:
    """Writes and restores a run's checkpoints; rank 0 writes, all ranks take part.

    places: a RunFolder. facts: see checkpoint.save_checkpoint, with `made_with`: the settings that a
    resumed run must share.
    """

    def __init__(self, settings, places, model, steps_per_epoch, facts, ranks):
        self.settings, self.places, self.model = settings, places, model
        self.steps_per_epoch, self.facts, self.ranks = steps_per_epoch, facts, ranks
        self.saved = time.monotonic()

    def resume(self):
        """Set all ranks' models to the newest readable checkpoint, if that is wanted and there is one, else to
        rank 0's; return the State to go on from."""
        state = self.ranks.first(self._restore)
        self.ranks.share(checkpoint.all_variables(self.model))
        if not self.ranks.leads:
            # Rank 0 goes on with the sums over all ranks.
            self.model.reset_metrics()
        return state

    def _restore(self):
        restored = self.settings.auto_resume_checkpoint and checkpoint.restore_newest(
            self.places.prefix, self.model, self.facts["made_with"], warn)
        return restored or State()

    def is_due(self):
        """Return whether the last checkpoint is too long ago."""
        return time.monotonic() - self.saved > self.settings.save_minutes * 60

    def save(self, state):
        """Write a checkpoint of `state` and remove the oldest."""
        self.ranks.level(checkpoint.variables_of_ranks(self.model))
        metrics = [self.ranks.sum(checkpoint.to_numpy(v)) for v in self.model.metrics_variables]
        if self.ranks.leads:
            path = checkpoint.checkpoint_path(self.places.prefix, state, self.steps_per_epoch)
            checkpoint.save_checkpoint(path, self.model, state, self.facts, metrics)
            for old in checkpoint.list_checkpoints(self.places.prefix)[:-self.settings.keep_checkpoints]:
                old.unlink()
        self.saved = time.monotonic()

    def save_best(self):
        """Write the model as the best one so far."""
        if self.ranks.leads:
            with checkpoint.averaged_weights(self.model):
                checkpoint.save_model(self.places.best, self.model, self.facts)


def warn(message):
    print(f"segnet-hpu: warning: {message}", file=sys.stderr)
