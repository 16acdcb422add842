"""Training, from settings to a finished run folder."""

import signal

import keras
import numpy as np

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.user_functions import Prepared
from segnet_hpu.errors import RunError, Stopped
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import InputCoding, TrainedModel
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.progress import Progress
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.precision import set_precision
from segnet_hpu.runtime.ranks import join
from segnet_hpu.runtime.stop_signals import StopSignals
from segnet_hpu.training.automatic_epochs import resolve_epochs
from segnet_hpu.training.checkpoint import list_checkpoints
from segnet_hpu.training.checkpoint_writer import Keeper
from segnet_hpu.training.model_setup import check_model, compile_model, make_model, rate_factor, set_first_weights
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.run_log import Journal
from segnet_hpu.training.sources import class_weights, open_sources, training_loader
from segnet_hpu.training.state import EpochSums
from segnet_hpu.training.step import make_train_step
from segnet_hpu.training.validation import Judge


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

    def __init__(self, settings, model=None, callbacks=(), custom=None, preprocessing=None):
        """custom: see TrainTransform. preprocessing: see Prepared; for images of training and validation."""
        self.settings, self.custom, self.preprocessing = settings, custom, preprocessing
        self.ranks = join(settings)
        with self.ranks.together():
            self._prepare(model)
        self.callbacks = keras.callbacks.CallbackList(list(callbacks), model=self.model)
        self.best_card = None

    def _prepare(self, model):
        settings, ranks = self.settings, self.ranks
        monitor = Monitor(settings)
        # Before the ranks' first meeting, which sets TensorFlow running.
        self.device = select_device(settings.train_engine, threads=settings.threads,
                                    deterministic=settings.deterministic,
                                    card=ranks.local_rank if ranks.size > 1 else None)
        self.appearance = Appearance.of(settings.n_classes, settings.class_names, settings.palette)
        self.places = RunFolder.of(settings, settings.model_name or model.name)
        ranks.first(lambda: self.places.check(settings.auto_resume_checkpoint or ranks.elastic))
        self.source, self.validation = open_sources(settings, ranks)
        if self.preprocessing:
            self.source = Prepared(self.source, self.preprocessing)
            self.validation = self.validation and Prepared(self.validation, self.preprocessing)
        set_precision(settings.data_type, self.device)
        keras.utils.set_random_seed(settings.seed)
        if model is not None:
            check_model(model, settings)
        self.model = model or make_model(settings)
        ranks.first(self._set_first_weights)
        self.batch_size = settings.batch_size * ranks.planned
        self.steps = settings.steps_per_epoch or -(-len(self.source) // self.batch_size)
        self.settings = settings = resolve_epochs(settings, self.steps)
        weights = ranks.first(lambda: class_weights(self.source, settings))
        compile_model(self.model, settings, weights, self.steps, self.device.jit_compile, ranks)
        made_with = {
            "model_name": self.model.name, "model_options": settings.model_options,
            "n_classes": settings.n_classes, "batch_size": self.batch_size,
            "optimizer_name": str(settings.optimizer_name), "steps_per_epoch": self.steps, "monitor": monitor.name,
            "scale_lr": f"{settings.scale_lr} (times {rate_factor(settings, ranks.planned):g})"}
        names = tuple(self.appearance.names) if settings.class_names else None
        self.trained = TrainedModel(self.model, names, settings.palette, settings.ignore_label,
                                    InputCoding(clahe=settings.clahe), made_with)
        self.judge = Judge(settings, self.trained, self.validation, self.appearance.names, monitor, ranks)
        # What can be refused has been: from here on the run writes.
        ranks.first(self.places.claim)
        self.keeper = Keeper(settings, self.places, self.trained, self.steps, ranks)
        self.state = self.keeper.resume()

    def _set_first_weights(self):
        # A run that goes on needs none: where they lay they may be gone by now.
        if not (self.settings.auto_resume_checkpoint and list_checkpoints(self.places.prefix)):
            set_first_weights(self.model, self.settings)

    def fit(self):
        """Train from where the state is to the end; return the history."""
        self.model.stop_training = False
        self.callbacks.on_train_begin()
        with self.ranks.together(), StopSignals() as self.signals:
            self.ranks.drive(self)
        self.callbacks.on_train_end()
        self._finish()
        return self.state.history

    def loop(self):
        """Train from where the state is to the end, as the rank that this process is now."""
        self.loader = training_loader(self.source, self.settings, self.model, self.batch_size, self.ranks,
                                      self.custom)
        # Where the batch does not divide by the ranks, their parts are filled up with images that are all void.
        filling = self.loader.sampler.part * self.ranks.size / self.batch_size
        self.train_step = make_train_step(self.model, self.model.loss, count_pixels, loss_weight=filling)
        self.journal = Journal(self) if self.ranks.leads else None
        while self._has_more():
            self.callbacks.on_epoch_begin(self.state.epoch)
            record, score, card = self.judge.judge(self._record(self._train_epoch()))
            if self.state.finish_epoch(record, score):
                self.keeper.save_best()
                self.best_card = card
            self.keeper.save(self.state)
            if self.journal:
                self.journal.epoch(record)
            self.callbacks.on_epoch_end(self.state.epoch - 1, record)
            self.ranks.commit()

    def _train_epoch(self):
        """Train from the state's step to the end of its epoch; return the epoch's mean logs."""
        state, first = self.state, self.state.epoch * self.steps
        if state.step == first:
            state.sums = EpochSums()
        batches = self.loader.iterate(state.step, first + self.steps)
        what, size = f"epoch {state.epoch + 1}/{self.settings.epochs}", self.batch_size
        with Progress(what, self.steps * size, "image", (state.step - first) * size,
                      quiet=not self.ranks.leads) as progress:
            for images, labels in batches:
                self.callbacks.on_train_batch_begin(state.step - first)
                result = self.train_step(*self._for_device(images, labels))
                state.step += 1
                if not np.isfinite(result.loss):
                    raise RunError(f"the loss is {result.loss} at step {state.step}; lower --learning_rate, "
                                   "set --clipnorm 1, and try --data_type fp32")
                state.sums.add(result, len(images))
                logs = state.sums.means()
                self.callbacks.on_train_batch_end(state.step - 1 - first, logs)
                progress.update(size, f"loss {logs['loss']:.4f}")
                self._save_within_epoch(state.step == first + self.steps)
        return self._reduced_logs() | self._speed(progress)

    def _for_device(self, images, labels):
        """The batch in types that the device has: Gaudi has no uint8."""
        if self.device.host_casts:
            return images.astype(np.float32), labels.astype(np.int32)
        return images, labels

    def _save_within_epoch(self, at_end):
        """Save when it is due, and stop when asked to; what ends an epoch is saved anyway."""
        due, stop = self.ranks.agree(self.keeper.is_due(), bool(self.signals.caught))
        every = self.settings.save_steps
        due = due or (every and self.state.step % every == 0)
        if at_end:
            return
        if due or stop:
            self.keeper.save(self.state)
        if self.state.step % self.settings.commit_steps == 0:
            self.ranks.commit()
        if stop:
            # A launcher that sees one worker end kills the others: none ends before rank 0 has written.
            self.ranks.first(lambda: None)
            # Where another rank caught it, this one does as if told to end.
            raise Stopped(f"stopped in epoch {self.state.epoch + 1} at step {self.state.step}; saved: the "
                          "same command with --auto_resume_checkpoint goes on from here",
                          self.signals.caught or signal.SIGTERM)

    def _reduced_logs(self):
        """The epoch's metrics over all ranks."""
        self.keeper.gather(self.state)
        return self.ranks.first(self.state.sums.means)

    def _speed(self, progress):
        """Images per second of all ranks, and which part of the time went into averaging gradients."""
        speed = {"images_per_second": progress.rate}
        waited = self.ranks.waited()
        if waited is not None:
            speed["communication_share"] = waited / progress.seconds
        return speed

    def _record(self, logs):
        """What is noted of an epoch that has been trained."""
        return {"epoch": self.state.epoch + 1, "step": self.state.step,
                **logs, "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}

    def _has_more(self):
        patience = self.settings.early_stopping
        patient = patience is None or self.state.epochs_without_gain < patience
        asked_to_stop = self.ranks.first(lambda: self.model.stop_training)
        return self.state.epoch < self.settings.epochs and patient and not asked_to_stop

    def _finish(self):
        if not self.journal:
            return
        best, card = None, None
        if self.validation is not None:
            best = load(self.places.best)
            whole = self.best_card is not None and not self.settings.val_steps_per_epoch
            card = self.best_card if whole else self.judge.evaluate(best)
        self.journal.close(best, card)
