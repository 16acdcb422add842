"""Training, from settings to a finished run folder."""

import json
import math
import sys
import time

import keras
import numpy as np

from segnet_hpu import config
from segnet_hpu.errors import RunError
from segnet_hpu.files import write_text
from segnet_hpu.inference.appearance import Appearance
from segnet_hpu.inference.evaluate import evaluate
from segnet_hpu.inference.load import load_model
from segnet_hpu.inference.scores import named_scores, score_table
from segnet_hpu.progress import Progress
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.precision import set_precision
from segnet_hpu.training import checkpoint, report
from segnet_hpu.training.assemble import check_model, compile_model, make_model, set_first_weights
from segnet_hpu.training.data import class_weights, open_sources, training_loader
from segnet_hpu.training.folder import RunFolder
from segnet_hpu.training.outputs import TensorBoard, write_metrics
from segnet_hpu.training.state import State
from segnet_hpu.training.stopping import Stopped, StopSignals


def train(settings, model=None, callbacks=()):
    """Train, validate and save; return the history: one dict of numbers an epoch.

    settings: a training.settings.Settings. model: train this functional Keras model, raw RGB (B, H, W, 3)
    to logits (B, h, w, n_classes), instead of building `settings.model_name`; with encoder_weights
    "random" it starts from the weights it has. callbacks: Keras callbacks; their `stop_training` is
    heeded at the end of the epoch.
    Raises UsageError for wrong settings or data, RunError if the run cannot go on.
    """
    return Run(settings, model, callbacks).fit()


class Run:
    """A training run: its parts are made here, in order; `fit` reads aloud."""

    def __init__(self, settings, model=None, callbacks=()):
        self.settings = settings
        self.appearance = Appearance.of(settings.n_classes, settings.class_names, settings.palette)
        self.places = RunFolder.of(settings, settings.model_name or model.name)
        self.places.check(settings.auto_resume_checkpoint)
        source, self.validation = open_sources(settings)
        self.device = select_device(settings.train_engine, threads=settings.threads,
                                    deterministic=settings.deterministic)
        set_precision(settings.data_type, self.device)
        keras.utils.set_random_seed(settings.seed)
        if model is not None:
            check_model(model, settings)
        self.model = model or make_model(settings)
        set_first_weights(self.model, settings)
        _, height, width, _ = self.model.input_shape
        self.loader = training_loader(source, settings, (height, width), self.model.output_shape[1:3])
        self.steps = settings.steps_per_epoch or math.ceil(len(source) / settings.batch_size)
        compile_model(self.model, settings, class_weights(source, settings), self.steps,
                      self.device.jit_compile)
        self.facts = {key: getattr(settings, key) for key in ("class_names", "palette", "ignore_label")}
        self.facts["made_with"] = {"model_name": self.model.name, "n_classes": settings.n_classes,
                                   "optimizer_name": settings.optimizer_name,
                                   "batch_size": settings.batch_size, "steps_per_epoch": self.steps}
        # What can be refused has been: from here on the run writes.
        self.places.claim()
        self.state = self._resume() or State()
        self.tensorboard = TensorBoard(self.places.tensorboard)
        self.callbacks = keras.callbacks.CallbackList(list(callbacks), model=self.model)
        self.saved = time.monotonic()

    def fit(self):
        state = self.state
        self._announce()
        self.model.stop_training = False
        self.callbacks.on_train_begin()
        with StopSignals() as signals:
            while self._has_more():
                self.callbacks.on_epoch_begin(state.epoch)
                logs = self._train_epoch(signals)
                record, score = self._judge(logs)
                if state.finish_epoch(record, score):
                    self._save_best()
                self._write_epoch(record)
                self.callbacks.on_epoch_end(state.epoch - 1, record)
        self.callbacks.on_train_end()
        self._finish()
        return state.history

    def _train_epoch(self, signals):
        """Train from the state's step to the end of its epoch; return the epoch's mean logs."""
        state, first = self.state, self.state.epoch * self.steps
        if state.step == first:
            self.model.reset_metrics()
        batches = self.loader.iterate(state.step, first + self.steps)
        what = f"epoch {state.epoch + 1}/{self.settings.epochs}"
        size = self.settings.batch_size
        with Progress(what, self.steps * size, "image", (state.step - first) * size) as progress:
            for images, labels in batches:
                self.callbacks.on_train_batch_begin(state.step - first)
                logs = self.model.train_on_batch(*self._for_device(images, labels), return_dict=True)
                state.step += 1
                if not np.isfinite(logs["loss"]):
                    raise RunError(f"the loss is {logs['loss']} at step {state.step}; lower --learning_rate, "
                                   "set --clipnorm 1, and try --data_type fp32")
                self.callbacks.on_train_batch_end(state.step - 1 - first, logs)
                progress.update(size, f"loss {logs['loss']:.4f}")
                if state.step < first + self.steps:
                    self._save_within_epoch(signals)
        return {**logs, "images_per_second": progress.rate}

    def _for_device(self, images, labels):
        """The batch in types that the device has: Gaudi has no uint8."""
        if self.device.host_casts:
            return images.astype(np.float32), labels.astype(np.int32)
        return images, labels

    def _judge(self, logs):
        """Return (record of the epoch, its score: higher is better)."""
        record = {"epoch": self.state.epoch + 1, "step": self.state.step,
                  **{name: float(value) for name, value in logs.items()},
                  "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}
        if self.validation is None:
            return record, -record["loss"]
        scores = self.evaluate().scores()
        record |= {f"val_{name}": value for name, value in scores.items() if name != "per_class"}
        return record, record["val_mean_iou"] or 0.0

    def evaluate(self):
        """Return the validation set's ConfusionMatrix, of the averaged weights where there are such."""
        with checkpoint.averaged_weights(self.model):
            limit = self.settings.val_steps_per_epoch
            return evaluate(self.model, self.validation, self.settings.n_classes, self.settings.ignore_label,
                            self.settings.val_batch_size, limit and limit * self.settings.val_batch_size)

    def _save_best(self):
        with checkpoint.averaged_weights(self.model):
            checkpoint.save_model(self.places.best, self.model, self.facts)

    def _write_epoch(self, record):
        self._save()
        write_metrics(self.places.folder / "metrics.csv", self.state.history)
        scalars = {name: value for name, value in record.items() if name not in ("epoch", "step")}
        self.tensorboard.scalars(scalars, record["step"])
        if self.validation is not None:
            with checkpoint.averaged_weights(self.model):
                for name, picture in report.panels(self.model, *self._shown()):
                    self.tensorboard.picture(name, picture, record["step"])
        self.tensorboard.flush()
        print(report.epoch_line(record, self.settings.epochs), flush=True)

    def _shown(self):
        """What the pictures of a run show."""
        return self.validation, self.appearance, self.settings.val_pictures, self.settings.val_batch_size

    def _save_within_epoch(self, signals):
        """Save when it is due, and stop when asked to."""
        every = self.settings.save_steps
        due = (every and self.state.step % every == 0) \
            or time.monotonic() - self.saved > self.settings.save_minutes * 60
        if due or signals.caught:
            self._save()
        if signals.caught:
            raise Stopped(f"stopped in epoch {self.state.epoch + 1} at step {self.state.step}; saved: the "
                          "same command with --auto_resume_checkpoint goes on from here", signals.caught)

    def _save(self):
        path = checkpoint.checkpoint_path(self.places.prefix, self.state, self.steps)
        checkpoint.save_checkpoint(path, self.model, self.state, self.facts)
        for old in checkpoint.list_checkpoints(self.places.prefix)[:-self.settings.keep_checkpoints]:
            old.unlink()
        self.saved = time.monotonic()

    def _resume(self):
        if not self.settings.auto_resume_checkpoint:
            return None
        return checkpoint.restore_newest(self.places.prefix, self.model, self.facts["made_with"], warn)

    def _announce(self):
        text = config.to_yaml(self.settings)
        write_text(self.places.folder / "config.yaml", text)
        if self.settings.dump_config:
            write_text(self.settings.dump_config, text)
        self.places.write_model_config(self.model)
        if self.state.history:
            # A run killed between checkpoint and metrics.csv left the latter a row short.
            write_metrics(self.places.folder / "metrics.csv", self.state.history)
        print(report.opening_line(self), flush=True)

    def _has_more(self):
        patience = self.settings.early_stopping
        patient = patience is None or self.state.epochs_without_gain < patience
        return self.state.epoch < self.settings.epochs and patient and not self.model.stop_training

    def _finish(self):
        self.tensorboard.close()
        if self.validation is not None:
            best, _ = load_model(self.places.best)
            matrix = evaluate(best, self.validation, self.settings.n_classes, self.settings.ignore_label,
                              self.settings.val_batch_size)
            scores = named_scores(matrix, self.appearance.names)
            write_text(self.places.folder / "evaluation.json", json.dumps(scores, indent=2))
            report.write_overlays(self.places.folder / "pictures", best, *self._shown())
            print(score_table(scores))
        print(report.closing_line(self))


def warn(message):
    print(f"segnet-hpu: warning: {message}", file=sys.stderr)
