"""What a run tells: its settings, an epoch's line, metrics.csv, TensorBoard, pictures. Rank 0's business."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from segnet_hpu import config
from segnet_hpu.components import OBJECT
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.evaluation.tables import named_scores, score_table, warn_of_never_predicted
from segnet_hpu.files import write_text
from segnet_hpu.inference.precision_recall import write_curve
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.signature import SETTINGS_COMMENT
from segnet_hpu.training import report
from segnet_hpu.training.log_files import TensorBoard, write_metrics
from segnet_hpu.training.preparation import Plan
from segnet_hpu.training.state import State


class RunLog:
    """Writes into a run's folder; opened, it writes the settings and says what begins."""

    def __init__(self, plan: Plan, state: State) -> None:
        self.plan, self.state, self.folder = plan, state, plan.folder.folder
        self.metrics = self.folder / "metrics.csv"
        self.tensorboard = TensorBoard(plan.folder.tensorboard)
        # Before config.yaml: by it RunFolder knows whose folder this is.
        plan.folder.write_model_config(plan.model)
        model = plan.settings.model_name or f"{OBJECT}{plan.model.name}"
        text = SETTINGS_COMMENT + config.to_yaml(dataclasses.replace(plan.settings, model_name=model))
        write_text(self.folder / "config.yaml", text)
        if plan.settings.dump_config:
            write_text(plan.settings.dump_config, text)
        if state.history:
            # A run killed between checkpoint and metrics.csv left the latter a row short.
            write_metrics(self.metrics, state.history)
        print(report.opening_line(plan, state), flush=True)
        if size := report.size_line(plan):
            print(size, flush=True)

    def epoch(self, record: Mapping[str, Any]) -> None:
        """Write what came of an epoch, with pictures of some validation images."""
        plan = self.plan
        write_metrics(self.metrics, self.state.history)
        scalars = {name: value for name, value in record.items() if name not in ("epoch", "step")}
        self.tensorboard.scalars(scalars, record["step"])
        if plan.validation.source is not None:
            with plan.averaged:
                for name, picture in report.panels(plan.trained, *self._shown()):
                    self.tensorboard.picture(name, picture, record["step"])
        self.tensorboard.flush()
        print(report.epoch_line(record, plan.epochs, plan.ranks.size), flush=True)

    def close(self, best: TrainedModel | None, scorecard: Scorecard | None) -> None:
        """Write the best model's scores, page and overlays, and say what to do next; None without validation."""
        plan = self.plan
        self.tensorboard.close()
        source = plan.validation.source
        if source is not None and best is not None and scorecard is not None:
            scores = named_scores(scorecard, plan.appearance.names)
            write_text(self.folder / "evaluation.json", json.dumps(scores, indent=2))
            report.write_report(self.folder / "report.html", plan, self.state, source, best, scores, scorecard.matrix)
            write_curve(self.folder / "precision_recall.png", scorecard, plan.appearance.names)
            report.write_overlays(self.folder / "pictures", best, *self._shown())
            print(score_table(scores))
            warn_of_never_predicted(scorecard.matrix, plan.appearance.names)
        print(report.closing_line(plan, self.state), flush=True)

    def _shown(self) -> tuple[Any, ...]:
        """What the pictures of a run show."""
        plan = self.plan
        return (plan.validation.source, plan.appearance, plan.settings.val_pictures, plan.settings.val_batch_size)
