"""What a run tells: its settings, an epoch's line, metrics.csv, TensorBoard, pictures. Rank 0's business."""

import json

from segnet_hpu import config
from segnet_hpu.evaluation.tables import named_scores, score_table
from segnet_hpu.files import write_text
from segnet_hpu.inference.precision_recall import write_curve
from segnet_hpu.training import checkpoint, report
from segnet_hpu.training.log_files import TensorBoard, write_metrics


class Journal:
    """Writes into a run's folder; opened, it writes the settings and says what begins.

    run: a training.run.Run.
    """

    def __init__(self, run):
        self.run, self.folder = run, run.places.folder
        self.metrics = self.folder / "metrics.csv"
        self.tensorboard = TensorBoard(run.places.tensorboard)
        # Before config.yaml: by it RunFolder knows whose folder this is.
        run.places.write_model_config(run.model)
        text = config.to_yaml(run.settings)
        write_text(self.folder / "config.yaml", text)
        if run.settings.dump_config:
            write_text(run.settings.dump_config, text)
        if run.state.history:
            # A run killed between checkpoint and metrics.csv left the latter a row short.
            write_metrics(self.metrics, run.state.history)
        print(report.opening_line(run), flush=True)

    def epoch(self, record):
        """Write what came of an epoch, with pictures of some validation images."""
        run = self.run
        write_metrics(self.metrics, run.state.history)
        scalars = {name: value for name, value in record.items() if name not in ("epoch", "step")}
        self.tensorboard.scalars(scalars, record["step"])
        if run.validation is not None:
            with checkpoint.averaged_weights(run.model):
                for name, picture in report.panels(run.trained, *self._shown()):
                    self.tensorboard.picture(name, picture, record["step"])
        self.tensorboard.flush()
        print(report.epoch_line(record, run.settings.epochs, run.ranks.size), flush=True)

    def close(self, best, card):
        """Write the best model's scores, page and overlays, and say what to do next.

        best: the TrainedModel; card: its Scorecard; both None without validation.
        """
        self.tensorboard.close()
        if card is not None:
            scores = named_scores(card, self.run.appearance.names)
            write_text(self.folder / "evaluation.json", json.dumps(scores, indent=2))
            report.write_report(self.folder / "report.html", self.run, best, scores, card.matrix)
            write_curve(self.folder / "precision_recall.png", card, self.run.appearance.names)
            report.write_overlays(self.folder / "pictures", best, *self._shown())
            print(score_table(scores))
        print(report.closing_line(self.run), flush=True)

    def _shown(self):
        """What the pictures of a run show."""
        run = self.run
        return run.validation, run.appearance, run.settings.val_pictures, run.settings.val_batch_size
