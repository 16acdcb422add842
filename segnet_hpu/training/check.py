"""Refuse what cannot work, before anything heavy is imported or written."""

import os

from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.classes import check_palette, class_names, split_names
from segnet_hpu.data.datasets import find as find_dataset
from segnet_hpu.data.datasets import root_of
from segnet_hpu.errors import UsageError
from segnet_hpu.evaluation.metrics import positive_id
from segnet_hpu.files import refuse_unwritable
from segnet_hpu.launch.requirements import check_workers
from segnet_hpu.models.options import model_options
from segnet_hpu.models.registry import find, input_size
from segnet_hpu.objectives.names import LOSS_OPTIONS, OPTIMIZER_OPTIONS, SCHEDULE_OPTIONS
from segnet_hpu.training.monitor import Monitor
from segnet_hpu.training.options import options_of


def check(settings, own_model=False):
    """Raise UsageError for settings that contradict each other or name what does not exist.

    own_model: the caller brings the model, so that the settings need not name one.
    """
    if not own_model:
        options = model_options(settings.model_name, settings.model_options)
        input_size(settings.model_name, settings.input_height, settings.input_width, options.get("level"))
        if not settings.use_upsampling and "use_upsampling" not in find(settings.model_name).options:
            raise UsageError(f"--use_upsampling false: {settings.model_name} does not upsample by repetition; "
                             "leave the flag out")
    if settings.load_weights and settings.init_from:
        raise UsageError("--load_weights and --init_from both say what to start from; give one of them")
    start = "load_weights" if settings.load_weights else "init_from"
    if getattr(settings, start) and settings.encoder_weights not in (None, "random"):
        raise UsageError(f"--encoder_weights {settings.encoder_weights} would be overwritten by --{start}; leave out "
                         "one of them, --encoder_weights none where a --config sets it")
    if settings.not_cached and settings.cache_mb is not None:
        raise UsageError("--cache_mb does not go with --not_cached; leave out one of them")
    _check_data(settings)
    _check_loss(settings)
    _check_rates(settings)
    check_workers(settings)
    Augmentation.parse(settings.augmentation_name)
    check_palette(settings.palette, settings.n_classes)
    if settings.class_names:
        names = split_names(settings.class_names, settings.n_classes)
    else:
        names = class_names(settings.palette, settings.n_classes)
    if settings.val_metrics and not settings.validate:
        raise UsageError("--val_metrics needs --validate")
    positive_id(settings.val_metrics, settings.positive_class, names)
    Monitor(settings)
    if settings.ema in (0.0, 1.0):
        raise UsageError(f"--ema is {settings.ema:g}; expected a number between 0 and 1, such as 0.999")
    if settings.dump_config:
        refuse_unwritable("--dump_config", settings.dump_config)
    if settings.timeline:
        refuse_unwritable("--timeline", settings.timeline)
    if settings.clipnorm == 0:
        raise UsageError("--clipnorm is 0; expected a number above 0, or none")
    if settings.momentum == 1:
        raise UsageError("--momentum is 1; expected a number below 1, such as 0.9")


def _check_data(settings):
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


def _check_loss(settings):
    weights = settings.class_weights
    if settings.loss_type is not None and settings.loss != "ce":
        raise UsageError(f"--loss_type is for cross-entropy; it does not go with --loss {settings.loss}")
    if settings.loss == "weighted_ce" and weights == "none":
        raise UsageError("--loss weighted_ce needs --class_weights median_frequency or one number a class")
    options_of(settings, "loss", LOSS_OPTIONS)
    if settings.label_smoothing == 1:
        raise UsageError("--label_smoothing is 1; expected a number below 1, such as 0.1")
    if isinstance(weights, list) and len(weights) != settings.n_classes:
        raise UsageError(f"--class_weights has {len(weights)} numbers; expected {settings.n_classes}, one a class")
    if isinstance(weights, list) and not any(weights):
        raise UsageError("--class_weights are all 0; expected a number above 0 for at least one class")
    if settings.ohem_threshold == 0:
        raise UsageError("--ohem_threshold is 0; expected a probability above 0 and at most 1, such as 0.7")


def _check_rates(settings):
    options_of(settings, "lr_schedule", SCHEDULE_OPTIONS)
    options_of(settings, "optimizer_name", OPTIMIZER_OPTIONS)
    if settings.step_every is not None and settings.step_at:
        raise UsageError("--step_every and --step_at both say when the rate drops; give one of them")
    for name in ("learning_rate", "decoder_rate", "step_every"):
        if getattr(settings, name) == 0:
            raise UsageError(f"--{name} is 0; expected a number above 0")
    if settings.warmup_epochs and settings.epochs != "auto" and settings.warmup_epochs >= settings.epochs:
        raise UsageError(f"--warmup_epochs is {settings.warmup_epochs:g} of {settings.epochs} --epochs; "
                         "expected fewer")
