"""From settings to a Plan: all that a run works with, made in the order in which the parts need each other."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import keras

from segnet_hpu.code_hash import code_hash
from segnet_hpu.components import Choice
from segnet_hpu.constants import LABEL_PALETTE
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.fingerprint import fingerprint
from segnet_hpu.data.source import Source
from segnet_hpu.interchange.keras_segmentation import refuse_replaced_configuration
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.normalisation import normalisation, set_normalisation
from segnet_hpu.models.roles import stable_name
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.objectives.schedules import ends_with_run
from segnet_hpu.options import as_text
from segnet_hpu.runtime.device import Device, select_device
from segnet_hpu.runtime.precision import set_precision
from segnet_hpu.runtime.ranks import Ranks
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.batch_size import check_batch_sizes
from segnet_hpu.training.checkpoint import list_checkpoints, newest_made_with, stored_normalisation
from segnet_hpu.training.checkpoint_writer import CheckpointWriter
from segnet_hpu.training.made_with import BACKEND, CODE, SPAN, UNTOLD, allowed_changes, computed_settings
from segnet_hpu.training.model_setup import (
    check_model,
    compile_model,
    input_coding,
    make_model,
    rate_factor,
    refuse_free_size,
    set_first_weights,
)
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.run_folder import RunFolder
from segnet_hpu.training.settings import Settings
from segnet_hpu.training.sources import class_weights, open_sources, try_augmentation
from segnet_hpu.training.validation import Validation

# --epochs auto. Those of pytorch-deeplab-xception for COCO, Cityscapes and VOC; of FCN-8s for KITTI Road; 60 passes
# over ADE20K are the usual 80,000 steps of 16 images.
USUAL_EPOCHS = {"coco_stuff": 30, "coco_stuff_171": 30, "coco_instances": 30, "cityscapes": 200, "voc": 50,
                "camvid": 200, "kitti_road": 80, "ade20k": 60}
USUAL_STEPS = 20_000  # of any other data set

# What earlier versions did and did not note.
EARLIER: dict[str, Any] = {"image_downsampling": "bilinear", "label_downsampling": "centre", "align_maps": False,
                           "average_momentum": "constant"}

OwnModel: TypeAlias = keras.Model | Callable[..., keras.Model]
ReadInputs = Callable[[Source], Source]


@dataclass(frozen=True)
class Plan:
    """All that a run works with; training changes nothing of it but the variables of the model.

    source: of training. trained: the network, compiled, with what a checkpoint notes of it. batch_size: images of
    all ranks together. steps: of an epoch. averaged: the network's weights. augment: a user's own augmentation, see
    TrainTransform.
    """

    settings: Settings
    ranks: Ranks
    device: Device
    folder: RunFolder
    appearance: Appearance
    source: Source
    trained: TrainedModel
    batch_size: int
    steps: int
    epochs: int
    validation: Validation
    checkpoints: CheckpointWriter
    averaged: AveragedWeights
    augment: Callable[..., Any] | None = None

    @property
    def model(self) -> keras.Model:
        return self.trained.network


class Hardware(NamedTuple):
    """Where a run works. The device is set up before the ranks' first meeting, which sets TensorFlow running."""

    ranks: Ranks
    device: Device


class Sources(NamedTuple):
    """The images and labels of training, and of validation if there is one."""

    training: Source
    validation: Source | None


class Length(NamedTuple):
    """batch_size: images of all ranks together. steps: of an epoch."""

    batch_size: int
    steps: int
    epochs: int


def prepare(settings: Settings, ranks: Ranks, model: OwnModel | None = None,
            augment: Callable[..., Any] | None = None, read_inputs: ReadInputs | None = None) -> Plan:
    """Return the Plan of a run; refuses what can be refused, and writes nothing.

    model: to train in place of `settings.model_name`, or a function that makes it. read_inputs: makes the
    source of training and of validation another. Every rank calls it. Raises UsageError for wrong settings or data.
    """
    assert settings.n_classes is not None
    monitor = Monitor(settings)
    appearance = Appearance.of(settings.n_classes, settings.class_names, settings.palette)
    hardware = _select_hardware(settings, ranks)
    folder = _find_folder(settings, hardware, model)
    settings = _as_it_began(settings, hardware, folder)
    sources = _open_sources(settings, hardware, read_inputs)
    network = _make_network(settings, hardware, folder, model)
    length = plan_length(settings, hardware.ranks, len(sources.training))
    settings = dataclasses.replace(settings, epochs=length.epochs)
    check_batch_sizes(settings, network, hardware.device.kind == "cpu", ranks, length.batch_size, sources.training,
                      sources.validation)
    trained = _compile(settings, hardware, sources, network, length, appearance, monitor, augment)
    averaged = AveragedWeights(network, recounted=settings.average_momentum == "rising")
    return Plan(settings, ranks, hardware.device, folder, appearance, sources.training, trained, length.batch_size,
                length.steps, length.epochs, Validation(settings, sources.validation, appearance.names, monitor),
                CheckpointWriter(settings, folder, trained, length.steps, ranks, averaged), averaged, augment)


def _select_hardware(settings: Settings, ranks: Ranks) -> Hardware:
    card = ranks.local_rank if ranks.size > 1 else None
    return Hardware(ranks, select_device(settings.train_engine, backend=settings.backend, threads=settings.threads,
                                         deterministic=settings.deterministic, card=card))


def _find_folder(settings: Settings, hardware: Hardware, model: OwnModel | None) -> RunFolder:
    """Return the run's folder, in which no other run lies or is at work."""
    name = stable_name(model.name) if isinstance(model, keras.Model) else str(Choice(model))
    folder = RunFolder.of(settings, settings.model_name or name)
    ranks = hardware.ranks

    def refuse_others() -> None:
        if not ranks.elastic:  # else the launcher has locked it
            folder.lock.refuse_held()
        folder.check(settings.auto_resume_checkpoint or ranks.elastic)

    ranks.first(refuse_others)
    return folder


def _as_it_began(settings: Settings, hardware: Hardware, folder: RunFolder) -> Settings:
    """Return the settings, those of EARLIER as they were if a run goes on that notes nothing of them."""
    before = newest_made_with(folder.prefix) if settings.auto_resume_checkpoint else None
    if before is None:
        return settings
    kept = {name: value for name, value in EARLIER.items()
            if name not in before and name not in allowed_changes(settings) and getattr(settings, name) != value}
    if kept and hardware.ranks.rank == 0:
        flags = " ".join(f"--{name} {as_text(value)}" for name, value in kept.items())
        print(f"this run began with an earlier version: it goes on with {flags}", flush=True)
    return dataclasses.replace(settings, **kept)


def _open_sources(settings: Settings, hardware: Hardware, read_inputs: ReadInputs | None) -> Sources:
    training, validation = open_sources(settings, hardware.ranks)
    if read_inputs:
        training, validation = read_inputs(training), validation and read_inputs(validation)
    hardware.ranks.first(lambda: try_augmentation(training, settings))
    return Sources(training, validation)


def _make_network(settings: Settings, hardware: Hardware, folder: RunFolder,
                  model: OwnModel | None) -> keras.Model:
    """Return the network with the weights that it starts from, the user's `model` if there is one."""
    set_precision(settings.data_type, hardware.device)
    keras.utils.set_random_seed(settings.seed)
    if isinstance(model, keras.Model):
        check_model(model, settings)
    network = model if isinstance(model, keras.Model) else make_model(settings, model)
    refuse_free_size(network)
    hardware.ranks.first(lambda: refuse_replaced_configuration(folder.prefix, network))

    def set_weights() -> Normalisation:
        """Return how pictures are normalised, which may come along with the weights."""
        # A run that goes on needs none: where they lay they may be gone by now.
        if settings.auto_resume_checkpoint and list_checkpoints(folder.prefix):
            _tell_of_unread(settings)
            return stored_normalisation(folder.prefix, network)
        set_first_weights(network, settings)
        return normalisation(network)

    set_normalisation(network, hardware.ranks.first(set_weights))
    return network


def _tell_of_unread(settings: Settings) -> None:
    """Tell that a run that goes on reads no other weights than its own."""
    unread = [f"--{name} {value}" for name in ("load_weights", "init_from", "encoder_weights")
              if (value := getattr(settings, name)) not in (None, "random")]
    if unread:
        print(f"the weights are those of the run's own checkpoint; {unread[0]} is not read again", flush=True)


def plan_length(settings: Settings, ranks: Ranks, images: int) -> Length:
    """Return how long a run over so many images is; the epochs that are usual for a data set under --epochs auto."""
    batch_size = settings.batch_size * ranks.planned
    steps = settings.steps_per_epoch or -(-images // batch_size)
    if isinstance(settings.epochs, int):
        return Length(batch_size, steps, settings.epochs)
    return Length(batch_size, steps, USUAL_EPOCHS.get(str(settings.dataset)) or -(-USUAL_STEPS // steps))


def _compile(settings: Settings, hardware: Hardware, sources: Sources, network: keras.Model, length: Length,
             appearance: Appearance, monitor: Monitor, augment: Callable[..., Any] | None) -> TrainedModel:
    """Return the compiled network with what its checkpoints note: a run that goes on must share `made_with`."""
    ranks = hardware.ranks
    weights = ranks.first(lambda: class_weights(sources.training, settings))
    compile_model(network, settings, weights, length.steps, hardware.device.jit_compile, ranks)
    return TrainedModel(
        network, tuple(appearance.names) if settings.class_names else None, settings.palette, settings.ignore_label,
        input_coding(network, settings),
        computed_settings(settings) | ranks.first(lambda: _fingerprints(sources)) | _of_augment(augment)
        | ({SPAN: length.epochs} if ends_with_run(settings.lr_schedule) else {}) | {
            "model_name": stable_name(network.name), "input_height": network.input_shape[1],
            "input_width": network.input_shape[2], "batch_size": length.batch_size, "steps_per_epoch": length.steps,
            LABEL_PALETTE: sources.training.palette, "monitor": monitor.name, BACKEND: keras.config.backend(),
            "scale_lr": f"{settings.scale_lr} (times {rate_factor(settings, ranks.planned):g})"})


def _of_augment(augment: Callable[..., Any] | None) -> dict[str, Any]:
    """What tells a user's own function of augmentation from others, which takes the place of --augmentation_name."""
    return {f"augmentation_name.{CODE}": code_hash(augment) or UNTOLD} if augment else {}


def _fingerprints(sources: Sources) -> dict[str, Any]:
    """What tells the data of a run from others."""
    validation = {} if sources.validation is None else {"val_data": fingerprint(sources.validation)}
    return {"data": fingerprint(sources.training)} | validation
