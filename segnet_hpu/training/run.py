"""Training, from settings to a finished run folder."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from segnet_hpu.data.loader import Batch, Loader
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.interchange.load import load
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.progress import Progress
from segnet_hpu.runtime.device import Device
from segnet_hpu.runtime.keras_internals import first_epoch, rate_of_last_step, rate_variable, set_first_epoch
from segnet_hpu.runtime.ranks import join
from segnet_hpu.runtime.stop_signals import Interrupted
from segnet_hpu.training.batch_statistics import BATCHES, FEW_BATCHES
from segnet_hpu.training.callbacks import Callbacks, logs_of
from segnet_hpu.training.checkpoint import all_variables, list_checkpoints
from segnet_hpu.training.model_setup import rate_source
from segnet_hpu.training.preparation import Plan, prepare
from segnet_hpu.training.run_log import RunLog
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.sources import training_loader
from segnet_hpu.training.state import EpochSums, State
from segnet_hpu.training.step import StepResult, make_train_step
from segnet_hpu.training.stopping import Stopping
from segnet_hpu.training.validation import Record, ValidatedEpoch
from segnet_hpu.training.variables import set_values, to_numpy

TrainStep = Callable[[np.ndarray, np.ndarray], StepResult]


def train(settings: Settings, model: Any = None, callbacks: Any = ()) -> list[Record]:
    """Train, validate and save; return the history: one dict of numbers an epoch.

    model: train this functional Keras model, raw RGB (B, H, W, 3) to logits (B, h, w, n_classes), instead of
    building `settings.model_name`; with encoder_weights "random" it starts from the weights it has. callbacks:
    Keras callbacks, called as `keras.Model.fit` calls them.
    Raises UsageError for wrong settings or data, RunError if the run cannot go on.
    """
    return make_run(settings, model, callbacks).fit()


def make_run(settings: Settings, model: Any = None, callbacks: Any = (), augment: Any = None,
             read_inputs: Any = None) -> "Run":
    """Return a Run that is ready to `fit`; nothing has been written yet.

    augment: a user's own, see TrainTransform. read_inputs: a function source -> source, of training and
    validation. The rest as in `train`.
    """
    ranks = join(settings)
    with ranks.together():
        return Run(prepare(settings, ranks, model, augment, read_inputs), callbacks)


class Run:
    """The training of a Plan. state: where it is."""

    def __init__(self, plan: Plan, callbacks: Any = ()) -> None:
        self.plan, self.checkpoints, self.state = plan, plan.checkpoints, State()
        self.callbacks = Callbacks(callbacks, plan.model, plan.epochs, plan.steps)
        if rate_variable(plan.model.optimizer) is None:
            self.callbacks.refuse_to_set_rate(*rate_source(plan.settings, plan.ranks.planned))
        self.stopping = Stopping(plan, self.callbacks)
        self.log: RunLog | None = None  # of rank 0
        self.logs: dict[str, float] | None = None  # of the last epoch
        self.best_scorecard: Scorecard | None = None

    def fit(self) -> list[Record]:
        """Train to the end, from the newest checkpoint if that is wanted; return the history."""
        with self.plan.folder.lock:
            with self.plan.ranks.together():
                self.state = self._begin()
                with self.stopping.signals:
                    self.plan.ranks.drive(self)
            self.stopping.refuse_to_finish()
            self.plan.averaged.keep()
            self.callbacks.on_train_end(self.logs)
            self._finish()
        return self.state.history

    def _begin(self) -> State:
        """Return the State to start from."""
        plan, model = self.plan, self.plan.model
        elastic = plan.ranks.elastic
        plan.ranks.first(lambda: plan.folder.claim(plan.settings.auto_resume_checkpoint or elastic, shared=elastic))
        model.stop_training = False
        set_first_epoch(model, None)
        goes_on = plan.settings.auto_resume_checkpoint and bool(list_checkpoints(plan.folder.prefix))
        if goes_on:
            self.callbacks.keep_tables()
        # Whatever callbacks set at the start, a run that goes on does so from its own state.
        self.callbacks.on_train_begin()
        epoch = first_epoch(model)  # BackupAndRestore's
        state = self.checkpoints.resume(State(epoch * plan.steps, epoch, best_epoch=epoch or None))
        if goes_on and plan.ranks.leads:
            self.callbacks.drop_rows(state.epoch)
        return state

    def loop(self) -> None:
        """Train from where the state is to the end, as the rank that this process is now."""
        try:
            self._loop()
        except Interrupted:  # between two steps, or before an epoch's record
            if self.state.step:
                self._save()
            raise self.stopping.interrupted(self.state) from None

    def _loop(self) -> None:
        plan = self.plan
        loader = training_loader(plan.source, plan.settings, plan.model, plan.batch_size, plan.ranks, plan.augment)
        # Where the batch does not divide by the ranks, their parts are filled up with images that are all void.
        filling = loader.sampler.part * plan.ranks.size / plan.batch_size
        train_step = make_train_step(plan.model, plan.model.loss, count_pixels, loss_weight=filling,
                                     rising=plan.settings.average_momentum == "rising")
        self.log = RunLog(plan, self.state) if plan.ranks.leads else None
        if self.state.step:
            self.callbacks.restore(self.state.callbacks, quiet=not plan.ranks.leads)
        if self.state.stopped == self.stopping.conditions() and self.state.epoch < plan.epochs:
            if self.log:
                print(f"a callback ended this run after epoch {self.state.epoch} of {plan.epochs}; to go on give "
                      "more --epochs, or leave the callback out", flush=True)
        else:
            while not self.stopping.is_due(self.state):
                self._epoch(loader, train_step)
        if not plan.averaged.values:  # of a run that was at its end
            plan.averaged.take((images for images, _ in self._last_batches(loader)), plan.ranks)

    def _epoch(self, loader: Loader, train_step: TrainStep) -> None:
        """Train, validate and save what is left of an epoch."""
        plan, epoch = self.plan, self.state.epoch
        self._begin_epoch()
        record = self._train_epoch(loader, train_step)
        is_sound = bool(np.isfinite(record["loss"]))  # else a callback has stopped for it
        validated = self._validate(record, loader) if is_sound else ValidatedEpoch(record, -np.inf, None)
        is_whole = is_sound and self.state.step == (epoch + 1) * plan.steps
        if is_whole and self.state.finish_epoch(validated.record, validated.score):
            self._save_best()
            self.best_scorecard = validated.scorecard
        self.logs = logs_of(validated.record)
        self.callbacks.end_epoch(epoch, self.logs, plan.averaged)
        self.state.stopped = self.stopping.conditions() if is_whole and self.stopping.is_wanted() else None
        if is_sound:
            self._save()
        if is_whole and self.log:
            self.log.epoch(validated.record)
        plan.ranks.commit()

    def _begin_epoch(self) -> None:
        """Call on_epoch_begin. Within an epoch that was begun before, it has done to the state what it does."""
        state, plan = self.state, self.plan
        is_within = state.step > state.epoch * plan.steps
        variables = all_variables(plan.model) if is_within else []
        values = [to_numpy(v) for v in variables]
        self.callbacks.on_epoch_begin(state.epoch)
        self.callbacks.state()  # what no checkpoint can hold is refused before the first step
        set_values(variables, values)
        if is_within:
            self.callbacks.restore(state.callbacks, quiet=True)

    def _train_epoch(self, loader: Loader, train_step: TrainStep) -> Record:
        """Train from the state's step to the end of its epoch; return the epoch's record."""
        plan, state, size = self.plan, self.state, self.plan.batch_size
        first, end = state.epoch * plan.steps, (state.epoch + 1) * plan.steps
        plan.averaged.drop()
        if state.step == first:
            state.sums = EpochSums()
        with Progress(f"epoch {state.epoch + 1}/{plan.epochs}", plan.steps * size, "image",
                      (state.step - first) * size, quiet=not plan.ranks.leads) as progress:
            batches = loader.iterate(state.step, end)
            while batch := self._next(batches):
                images, labels = batch
                self.callbacks.on_train_batch_begin(state.step - first)
                result = train_step(*_for_device(plan.device, images, labels))
                state.step += 1
                state.sums.add(result, len(images))
                logs = state.sums.means()
                self.callbacks.on_train_batch_end(state.step - 1 - first, logs)
                if self.stopping.is_due_within_epoch(result.loss, state):
                    break
                progress.update(size, f"loss {logs['loss']:.4f}")
                self._save_within_epoch(state.step == end)
        return self._record(progress)

    def _next(self, batches: Iterator[Batch]) -> Batch | None:
        with self.stopping.interruptible():
            return next(batches, None)

    def _save_within_epoch(self, at_end: bool) -> None:
        """Save when it is due, and stop when asked to; what ends an epoch is saved anyway."""
        ranks, settings, step = self.plan.ranks, self.plan.settings, self.state.step
        due, stop = ranks.agree(self.checkpoints.is_due(), bool(self.stopping.signals.caught))
        if at_end:
            return
        if due or stop or (settings.save_steps and step % settings.save_steps == 0):
            self._save()
        if step % settings.commit_steps == 0:
            ranks.commit()
        if stop:
            raise self.stopping.interrupted(self.state)

    def _record(self, progress: Progress) -> Record:
        """What is noted of the epoch's training, over all ranks.

        communication_share: of the time, what went into averaging gradients.
        """
        state, ranks = self.state, self.plan.ranks
        self.checkpoints.gather(state)
        means, waited = ranks.first(state.sums.means), ranks.waited()
        share = {} if waited is None else {"communication_share": waited / progress.seconds}
        return {"epoch": state.epoch + 1, "step": state.step, **means, "images_per_second": progress.rate, **share,
                "learning_rate": rate_of_last_step(self.plan.model.optimizer)}

    def _validate(self, record: Record, loader: Loader) -> ValidatedEpoch:
        """Validate what the epoch came to: the averaged weights where there are such."""
        plan = self.plan
        plan.averaged.take((images for images, _ in self._last_batches(loader)), plan.ranks)
        with plan.averaged:
            validated = plan.validation.validate(plan.trained, record, plan.ranks, self.callbacks,
                                                 self.stopping.interruptible(), self.stopping.meet)
            plan.averaged.statistics.warn_of_stale(validated.record, self._last_batches(loader, FEW_BATCHES),
                                                   plan.ranks, is_last=record["epoch"] == plan.epochs)
        return validated

    def _last_batches(self, loader: Loader, count: int = BATCHES) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the batches that were last trained with, again: the same after a run is resumed."""
        batches = loader.iterate(max(0, self.state.step - count), self.state.step)
        while batch := self._next(batches):
            self.stopping.meet()
            yield _for_device(self.plan.device, *batch)

    def _save(self) -> None:
        if self.plan.ranks.leads:
            self.plan.folder.refuse_removed()
        self.state.callbacks = self.callbacks.state()
        self.checkpoints.save(self.state)

    def _save_best(self) -> None:
        if self.plan.ranks.leads:
            self.plan.folder.refuse_removed()
            self.checkpoints.save_best()

    def _finish(self) -> None:
        if not self.log:
            return
        self.plan.folder.refuse_removed()
        self.checkpoints.mend_best(self.state)
        validation, best, scorecard = self.plan.validation, None, None
        if validation.source is not None and self.plan.folder.best.exists():
            best = load(self.plan.folder.best)
            is_known = (self.best_scorecard is not None and self.state.best_score is not None
                        and validation.is_whole)
            scorecard = self.best_scorecard if is_known else validation.evaluate(best)
        self.log.close(best, scorecard)


def _for_device(device: Device, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the batch in types that the device has: Gaudi has no uint8."""
    if device.host_casts:
        return images.astype(np.float32), labels.astype(np.int32)
    return images, labels
