"""Refuse what cannot work, before anything heavy is imported or written."""

import os

from segnet_hpu.components import Registry
from segnet_hpu.config import is_default
from segnet_hpu.constants import ONE_AND_BACKGROUND
from segnet_hpu.data.augmentation import augmentations
from segnet_hpu.data.classes import check_palette, class_names, split_names
from segnet_hpu.data.datasets import find as find_dataset
from segnet_hpu.data.datasets import root_of
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.metrics import make_scorers
from segnet_hpu.files import refuse_replacing, refuse_unwritable
from segnet_hpu.launch.requirements import check_workers
from segnet_hpu.models.options import model_options
from segnet_hpu.models.registry import find, input_size
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import optimizers
from segnet_hpu.objectives.schedules import schedules
from segnet_hpu.signature import SETTINGS, TIMELINE
from segnet_hpu.training.made_with import allowed_changes
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.settings import Settings


def check(settings: Settings, own_model: bool | str = False) -> None:
    """Raise UsageError for settings that contradict each other or name what does not exist.

    own_model: the caller brings the model, so that the settings need not name one; or a function of this
    name, which makes it.
    """
    name = settings.built_model if own_model is False else own_model
    if isinstance(name, str) and (name is own_model or ":" in name):
        _check_own_model(settings, name)
    elif isinstance(name, str):
        options = model_options(name, settings.model_options)
        input_size(name, settings.input_height, settings.input_width, options.get("level"),
                   settings.align_maps)
        if not settings.use_upsampling and "use_upsampling" not in find(name).options:
            raise UsageError(f"--use_upsampling false: {name} does not upsample by repetition; "
                             "leave the flag out")
    if settings.load_weights and settings.init_from:
        raise UsageError("--load_weights and --init_from both say what to start from; give one of them")
    start = "load_weights" if settings.load_weights else "init_from"
    if getattr(settings, start) and settings.encoder_weights not in (None, "random"):
        raise UsageError(f"--encoder_weights {settings.encoder_weights} would be overwritten by --{start}; leave out "
                         "one of them, --encoder_weights none where a --config sets it")
    if settings.not_cached and settings.cache_mb is not None:
        raise UsageError("--cache_mb does not go with --not_cached; leave out one of them")
    allowed_changes(settings)
    _check_data(settings)
    _check_loss(settings)
    _check_rates(settings)
    check_workers(settings)
    augmentations.make(settings.augmentation_name)
    assert settings.n_classes is not None, "dataset_settings sees to it"
    if settings.n_classes < 2:  # of a data set of one's own
        raise UsageError(f"n_classes is {settings.n_classes}; expected at least {ONE_AND_BACKGROUND}")
    check_palette(settings.palette, settings.n_classes)
    if settings.class_names:
        names = split_names(settings.class_names, settings.n_classes)
    else:
        names = class_names(settings.palette, settings.n_classes)
    if settings.val_metrics and not settings.validate:
        raise UsageError("--val_metrics needs --validate")
    Monitor(settings)
    for output, kind in (("dump_config", SETTINGS), ("timeline", TIMELINE)):
        path = getattr(settings, output)
        if path:
            refuse_unwritable(f"--{output}", path)
            refuse_replacing(f"--{output}", path, filter(None, [settings.config]), "choose another name",
                             kinds=(kind,))
    make_scorers(settings.val_metrics, names)


def _check_own_model(settings: Settings, model: str) -> None:
    """Refuse what goes only with the models that are listed, or is needed beside MODULE:NAME."""
    for name in ("input_height", "input_width"):
        if getattr(settings, name) is None:
            raise UsageError(f"--{name} is not given; a model of your own, {model}, needs it")
    if settings.model_options or not settings.use_upsampling:
        flag = "--model_options" if settings.model_options else "--use_upsampling false"
        raise UsageError(f"{flag} is for the models that `segnet-hpu models` lists, not for {model}; "
                         "leave it out")


def _check_data(settings: Settings) -> None:
    if settings.dataset:
        dataset = find_dataset(settings.dataset)
        for split in [settings.train_split] + [settings.val_split] * bool(settings.validate):
            dataset.check_layout(root_of(dataset, settings.data_root), split)
        return
    folders = ["train_images", "train_annotations"]
    if settings.validate:
        folders += ["val_images", "val_annotations"]
    for name in folders:
        folder = getattr(settings, name)
        if folder is None:
            raise UsageError(f"--validate needs --{name}")
        if not os.path.isdir(folder):
            raise UsageError(f"--{name} {folder}: no such folder; expected a folder of images "
                             "(./data_prepare.sh brings a data set)")


def _check_loss(settings: Settings) -> None:
    loss, weights = settings.loss, settings.loss.options.get("class_weights")
    if settings.loss_type is not None and loss.name != "ce":
        raise UsageError(f"--loss_type is for cross-entropy; it does not go with --loss {loss}")
    make_loss(loss, class_weights=[1.0] if weights == "median_frequency" else None)
    if isinstance(weights, list) and len(weights) != settings.n_classes:
        raise UsageError(f"--class_weights has {len(weights)} numbers; expected {settings.n_classes}, one a class")
    if isinstance(weights, list) and not any(weights):
        raise UsageError("--class_weights are all 0; expected a number above 0 for at least one class")


_RATE = ("learning_rate",)
# The settings that an optimizer or schedule gets, as these parameters; one that is made already has its own.
GIVEN_AS: dict[str, tuple[Registry, dict[str, tuple[str, ...]]]] = {
    "optimizer_name": (optimizers, {
        "learning_rate": _RATE, "lr_schedule": _RATE, "warmup_epochs": _RATE, "scale_lr": _RATE,
        "weight_decay": ("weight_decay",), "clipnorm": ("global_clipnorm",),
        "accumulate": ("gradient_accumulation_steps",), "ema": ("use_ema", "ema_momentum")}),
    "lr_schedule": (schedules, {"learning_rate": _RATE, "scale_lr": _RATE})}


def _check_rates(settings: Settings) -> None:
    for name in GIVEN_AS:
        _check_given_as(settings, name)
    if settings.learning_rate == 0:
        raise UsageError("--learning_rate is 0; expected a number above 0")
    if {"step_every", "step_at"} <= settings.lr_schedule.options.keys():
        raise UsageError("--step_every and --step_at both say when the rate drops; give one of them")
    epochs = settings.epochs
    if settings.warmup_epochs and isinstance(epochs, int) and settings.warmup_epochs >= epochs:
        raise UsageError(f"--warmup_epochs is {settings.warmup_epochs:g} of {settings.epochs} --epochs; "
                         "expected fewer")


def _check_given_as(settings: Settings, name: str) -> None:
    """Refuse settings that the optimizer or schedule of this setting, which is the user's own, would not get."""
    registry, parameters = GIVEN_AS[name]
    chosen = getattr(settings, name)
    component = registry.find(chosen.name)
    for other in (other for other in parameters if not is_default(settings, other)):
        clash = f"--{other} does not go with --{name} {chosen}, which"
        if component.ready:
            raise UsageError(f"{clash} is made and has its own; leave --{other} out, or give the class")
        lacking = [parameter for parameter in parameters[other] if not component.takes(parameter)]
        if lacking:
            raise UsageError(f"{clash} has no parameter {' and '.join(lacking)} to pass on; add it there, or leave "
                             f"--{other} out")
