"""What ends a run before its last epoch: a signal, a callback, patience. Several ranks end together."""

import signal
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from segnet_hpu.errors import RunError, Stopped
from segnet_hpu.runtime.stop_signals import Interrupted, StopSignals
from segnet_hpu.training.callbacks import Callbacks
from segnet_hpu.training.preparation import Plan
from segnet_hpu.training.state import State

SAVED = "saved: the same command with --auto_resume_checkpoint goes on from here"


class Stopping:
    """Tells a run of this Plan, with these callbacks, when to end. signals: caught within their context."""

    def __init__(self, plan: Plan, callbacks: Callbacks) -> None:
        self.plan, self.callbacks, self.signals = plan, callbacks, StopSignals()

    def interruptible(self) -> AbstractContextManager[None]:
        """Return the context of what a signal may break off; several ranks `meet` instead."""
        return self.signals.interruptible() if self.plan.ranks.size == 1 else nullcontext()

    def meet(self) -> None:
        """Among several ranks, raise Interrupted on all where one has caught a signal; all call it equally often."""
        ranks = self.plan.ranks
        if ranks.size > 1 and ranks.sum(np.array([bool(self.signals.caught)], np.int64))[0]:
            raise Interrupted

    def interrupted(self, state: State) -> Stopped:
        """Return the error to end with when asked to stop, once rank 0 has saved what there is: a meeting."""
        self.plan.ranks.first(lambda: None)  # a launcher that sees one worker end kills the others
        if not state.step:
            return self._stopped("stopped before the first step")
        return self._stopped(f"stopped in epoch {state.epoch + 1} at step {state.step}; {SAVED}")

    def refuse_to_finish(self) -> None:
        """Raise the error to end with where a signal came when all was trained."""
        if self.signals.caught:
            raise self._stopped(f"trained to the end; {SAVED}")

    def _stopped(self, words: str) -> Stopped:
        # Where another rank caught the signal, this one does as if told to end.
        return Stopped(words, self.signals.caught or signal.SIGTERM)

    def is_due_within_epoch(self, loss: float, state: State) -> bool:
        """Return whether a callback ends the epoch at a step; among several ranks it has to wait for its end.

        Raises RunError for a loss that is no number, unless a callback stops for it.
        """
        stops = self.plan.model.stop_training and self.plan.ranks.size == 1
        if not np.isfinite(loss) and not stops:
            raise RunError(f"the loss is {loss} at step {state.step}; lower --learning_rate, "
                           "set --clipnorm 1, and try --data_type fp32")
        return stops

    def is_due(self, state: State) -> bool:
        """Return whether no epoch comes after those that are done."""
        patience = self.plan.settings.early_stopping
        is_patient = patience is None or state.epochs_without_gain < patience
        return state.epoch >= self.plan.epochs or not is_patient or self.is_wanted()

    def is_wanted(self) -> bool:
        """Return whether a callback of rank 0 wants the run to end."""
        return bool(self.plan.ranks.first(lambda: self.plan.model.stop_training))

    def conditions(self) -> dict[str, Any]:
        """Return what a run that a callback has ended must have others of to go on."""
        return {"epochs": self.plan.epochs, "callbacks": self.callbacks.names()}
