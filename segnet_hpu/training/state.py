"""What a run must remember beside its arrays to go on as if nothing had happened."""

import dataclasses
import json
from dataclasses import dataclass, field


@dataclass
class State:
    """Where a run is.

    step: training steps done, of all epochs. epoch: epochs done. best_score: highest score so
    far (see monitor.Monitor.score), of best_epoch.
    history: one dict of numbers an epoch.
    """

    step: int = 0
    epoch: int = 0
    best_score: float | None = None
    best_epoch: int | None = None
    history: list = field(default_factory=list)

    def finish_epoch(self, record, score):
        """Append an epoch's record; return whether its score is the best so far."""
        self.epoch += 1
        self.history.append(record)
        if self.best_score is not None and score <= self.best_score:
            return False
        self.best_score, self.best_epoch = score, self.epoch
        return True

    @property
    def epochs_without_gain(self):
        return self.epoch - (self.best_epoch or 0)

    def to_json(self):
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text):
        return cls(**json.loads(text))
