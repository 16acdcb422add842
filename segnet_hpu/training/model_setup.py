"""The run's model, compiled with loss, optimizer and schedule."""

from collections.abc import Callable

import keras

from segnet_hpu.data.classes import split_names
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.pretrained import encoder_of, load_encoder
from segnet_hpu.interchange.transfer import copy_weights, transfer_weights
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoder_stages import decoder_variables, freeze_stages
from segnet_hpu.models.options import model_options
from segnet_hpu.models.trained_model import InputCoding
from segnet_hpu.models.weights import refuse_broken_weights
from segnet_hpu.objectives.keras_schedules import Constant
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.losses.base import OwnLoss
from segnet_hpu.objectives.optimizers import make_optimizer, optimizers
from segnet_hpu.objectives.penalty import penalise
from segnet_hpu.objectives.schedules import make_schedule
from segnet_hpu.runtime.keras_internals import scale_rate, use_anew
from segnet_hpu.runtime.ranks import ALONE, Ranks
from segnet_hpu.training.settings import Settings


def make_model(settings: Settings, own: Callable[..., keras.Model] | None = None) -> keras.Model:
    """Return the model that the settings name, or that a user's own function makes, with fresh weights."""
    # Only what differs from the default: not every decoder upsamples in steps.
    assert settings.n_classes is not None, "dataset_settings sees to it"
    if own is not None:
        return build_model(own, settings.n_classes, settings.input_height, settings.input_width)
    options = {} if settings.use_upsampling else {"use_upsampling": False}
    options |= model_options(settings.built_model, settings.model_options)
    return build_model(settings.built_model, settings.n_classes, settings.input_height, settings.input_width,
                       align_maps=settings.align_maps, **options)


def set_first_weights(model: keras.Model, settings: Settings) -> None:
    """Set the weights that training starts from: a checkpoint's, what fits of one, or a pretrained encoder's.

    Without a choice, ImageNet's are taken where such are published for the model's encoder.
    Raises UsageError if they do not fit the model.
    """
    if settings.load_weights:
        if told := copy_weights(model, settings.load_weights, input_coding(model, settings), _names(settings)):
            print(told, flush=True)
        return
    if settings.init_from:
        told = transfer_weights(model, settings.init_from, input_coding(model, settings), _names(settings))
        print(told, flush=True)
        return
    source = settings.encoder_weights
    if source is None:
        source = "imagenet" if encoder_of(model) else "random"
        print(f"encoder weights: {source}" + ("" if source == "imagenet" else
              f"; none are published for the encoder of {model.name}"))
    if source != "random":
        load_encoder(model, source)
        refuse_broken_weights(model, f"--encoder_weights {source}")


def _names(settings: Settings) -> list[str] | None:
    """The names of the classes, where they have some."""
    names, number = settings.class_names, settings.n_classes
    return split_names(names, number) if names and number else None


def input_coding(model: keras.Model, settings: Settings) -> InputCoding:
    """Return how the pictures of a run are coded."""
    return InputCoding(model.input_shape[-1], clahe=settings.clahe, files=settings.image_coding,
                       downsampling=settings.image_downsampling)


def check_model(model: keras.Model, settings: Settings) -> None:
    """Raise UsageError unless a caller's own model fits the settings and the precision that is in force."""
    if model.output_shape[-1] != settings.n_classes:
        raise UsageError(f"n_classes is {settings.n_classes}; {model.name} has {model.output_shape[-1]}")
    wanted = keras.config.dtype_policy().compute_dtype
    if not any(layer.compute_dtype == wanted for layer in model.layers if layer.weights):
        raise UsageError(f"data_type is {settings.data_type}, but {model.name} was made to compute in another; "
                         "call keras.config.set_dtype_policy before the model is made")


def refuse_free_size(model: keras.Model) -> None:
    """Raise UsageError for a model that does not say the size of its pictures, which training makes them of."""
    if None in (*model.input_shape[1:], *model.output_shape[1:]):
        raise UsageError(f"{model.name} takes pictures {model.input_shape[1:]} to logits {model.output_shape[1:]}; "
                         "expected a height, a width and a number of channels in its keras.Input")


def rate_factor(settings: Settings, size: int) -> float:
    """Return by what the learning rate is multiplied for `size` workers.

    Linear: Goyal et al. 2017. Square root: Krizhevsky 2014, keeps the gradient's variance.
    """
    return {"none": 1.0, "linear": float(size), "sqrt": size**0.5}[settings.scale_lr]


def warmup_epochs(settings: Settings, factor: float) -> float:
    """Return the epochs of warm-up: as set, else 5 for a raised rate, but at most a tenth of all, else none."""
    if settings.warmup_epochs is not None:
        return settings.warmup_epochs
    return min(5.0, int(settings.epochs) / 10) if factor > 1 else 0.0


def rate_source(settings: Settings, size: int) -> tuple[str, str]:
    """Return what sets the rate at every step for `size` workers, and what to give instead, for a message."""
    warms_up = warmup_epochs(settings, rate_factor(settings, size)) > 0
    is_constant = settings.lr_schedule.name == "constant" and not warms_up
    if is_constant or optimizers.find(settings.optimizer_name.name).ready:
        return f"the schedule in --optimizer_name {settings.optimizer_name}", "the optimizer a number as its rate"
    return f"--lr_schedule {settings.lr_schedule}", "--lr_schedule constant without --warmup_epochs"


def compile_model(model: keras.Model, settings: Settings, weights: list[float] | None, steps_per_epoch: int,
                  jit_compile: bool | str, ranks: Ranks = ALONE) -> None:
    """Compile a model for training, on these ranks, and build its optimizer's variables.

    weights: class weights or None. steps_per_epoch: batches, for the schedule's length. jit_compile: as of Keras;
    off where ranks meet in the step in a way that XLA cannot compile.
    """
    freeze_stages(model, settings.freeze_stages)
    penalise(model, settings.l2)
    loss = make_loss(settings.loss, class_weights=weights)
    if isinstance(loss, OwnLoss):
        _, height, width, n_classes = model.output_shape
        loss.try_out((height, width), n_classes)
    factor = rate_factor(settings, ranks.planned)
    schedule = make_schedule(settings.lr_schedule, settings.learning_rate * factor,
                             int(settings.epochs) * steps_per_epoch,
                             round(warmup_epochs(settings, factor) * steps_per_epoch),
                             steps_per_epoch=steps_per_epoch)
    # A variable, which callbacks may set.
    rate = schedule.learning_rate if isinstance(schedule, Constant) else schedule
    optimizer = make_optimizer(settings.optimizer_name, rate, weight_decay=settings.weight_decay,
                               clipnorm=settings.clipnorm, accumulate=settings.accumulate, ema=settings.ema)
    if not use_anew(optimizer, model.trainable_variables):
        raise UsageError(f"--optimizer_name {settings.optimizer_name}: this object has trained another network, "
                         "whose moments it holds; make a new one")
    if settings.decoder_rate != 1:
        scale_rate(optimizer, decoder_variables(model), settings.decoder_rate)
    if keras.config.dtype_policy().name == "mixed_float16" and not isinstance(
            optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, loss, jit_compile=jit_compile if ranks.xla else False)
    model.optimizer.build(model.trainable_variables)
    ranks.average_gradients(model.optimizer, settings.compress_gradients)
    if settings.sync_batch_norm:
        ranks.synchronise_batch_norm(model)
