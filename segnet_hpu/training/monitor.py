"""The figure by which a run tells its best epoch, and when to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from segnet_hpu.data.classes import class_names, split_names
from segnet_hpu.errors import UsageError, nearest
from segnet_hpu.evaluation.metrics import figures

if TYPE_CHECKING:
    from segnet_hpu.evaluation.scorecard import Scorecard
    from segnet_hpu.training.settings import Settings

LOWER_IS_BETTER = ("loss", "val_loss")
IN_TRAINING = ("loss", "accuracy")
NO_AIMS = ("max_f_threshold", "max_f_false_positive_rate", "max_f_false_negative_rate")  # not the higher the better
IOU = "val_iou_"  # before a class's name


class Monitor:
    """What `settings.monitor` means. name: of a record's column, or val_iou_CLASS.

    Raises UsageError for a figure that the run does not have.
    """

    def __init__(self, settings: Settings) -> None:
        assert settings.n_classes is not None
        self.name = settings.monitor or ("val_mean_iou" if settings.validate else "loss")
        names = (split_names(settings.class_names, settings.n_classes) if settings.class_names
                 else class_names(settings.palette, settings.n_classes))
        aims = [name for name in figures(settings.val_metrics, names) if name not in NO_AIMS]
        known = [*IN_TRAINING, "val_loss", *(f"val_{name}" for name in aims),
                 *(IOU + name for name in names)]
        if self.name not in known:
            raise UsageError(f"--monitor is {self.name!r}; expected one of {', '.join(known)}."
                             f"{nearest(self.name, known)}")
        if self.name not in IN_TRAINING and not settings.validate:
            raise UsageError(f"--monitor {self.name} needs --validate, --val_images and --val_annotations")
        self.class_id = names.index(self.name[len(IOU):]) if self.name.startswith(IOU) else None

    def score(self, record: Mapping[str, float | None], scorecard: Scorecard | None) -> float:
        """Return how good an epoch is, the higher the better; 0 for a score that the labels do not allow, and
        the worst of all for a loss that is no number.

        record: of the epoch. scorecard: None without validation.
        """
        if self.class_id is not None and scorecard is not None:
            return scorecard.scores()["per_class"][self.class_id]["iou"] or 0.0
        value = record[self.name] or 0.0
        if self.name in LOWER_IS_BETTER:
            return -math.inf if math.isnan(value) else -value
        return value
