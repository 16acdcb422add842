"""What a run must remember beside its variables to go on as if nothing had happened."""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from segnet_hpu.training.step import StepResult


@dataclass
class EpochSums:
    """What the loss and the accuracy of an epoch are made of, summed over its steps so far.

    loss: each step's, times its images. right: valid pixels whose largest logit was the label's. pixels: valid ones.
    """

    loss: float = 0.0
    images: float = 0.0
    right: float = 0.0
    pixels: float = 0.0

    def add(self, result: StepResult, images: int) -> None:
        """Count a step over so many images; the step counts as objectives.accuracy.count_pixels does."""
        right, pixels = result.counts
        self.loss += result.loss * images
        self.images += images
        self.right += right
        self.pixels += pixels

    def means(self) -> dict[str, float]:
        """Return {"loss", "accuracy"} of the steps so far; 0 where nothing has been counted."""
        return {"loss": self.loss / max(self.images, 1), "accuracy": self.right / max(self.pixels, 1)}


@dataclass
class State:
    """Where a run is.

    step: training steps done, of all epochs. epoch: epochs done. best_score: highest score so
    far (see monitor.Monitor.score), of best_epoch. sums: of the epoch that `step` is in, or has just ended.
    history: one dict of numbers an epoch. learning_rate: that a callback set, None as the settings have it.
    callbacks: what they remember, see Callbacks.state. changed: what the run went on with in place of what it was
    made with, until the history has it. stopped: what the run had when a callback ended it, see Run; None while it
    goes on.
    """

    step: int = 0
    epoch: int = 0
    best_score: float | None = None
    best_epoch: int | None = None
    sums: EpochSums = field(default_factory=EpochSums)
    history: list[dict[str, Any]] = field(default_factory=list)
    learning_rate: float | None = None
    callbacks: dict[str, Any] = field(default_factory=dict)
    changed: str | None = None
    stopped: dict[str, Any] | None = None

    def finish_epoch(self, record: dict[str, Any], score: float) -> bool:
        """Append an epoch's record; return whether its score is the best so far."""
        self.epoch += 1
        self.history.append(record | ({"changed": self.changed} if self.changed else {}))
        self.changed = None
        if self.best_score is not None and score <= self.best_score:
            return False
        self.best_score, self.best_epoch = score, self.epoch
        return True

    def begin_epoch_again(self, steps: int) -> None:
        """Go back to the beginning of the epoch, in a run whose epochs have so many steps."""
        self.step, self.sums = self.epoch * steps, EpochSums()

    def forget_best(self) -> None:
        """Let the next epoch be the best so far, and patience begin anew."""
        self.best_score, self.best_epoch = None, self.epoch or None

    @property
    def epochs_without_gain(self) -> int:
        return self.epoch - (self.best_epoch or 0)

    def to_json(self) -> str:
        """Return all but the sums, which a checkpoint holds as arrays."""
        values = dataclasses.asdict(self)
        del values["sums"]
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str | bytes, sums: EpochSums) -> "State":
        return cls(**json.loads(text), sums=sums)
