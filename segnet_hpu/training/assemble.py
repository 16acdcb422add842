"""The run's model, compiled with loss, optimizer and schedule."""

import keras

from segnet_hpu.errors import UsageError
from segnet_hpu.inference.load import load_model
from segnet_hpu.interchange.vgg16 import load_vgg16
from segnet_hpu.models.build import build_model, freeze_stages
from segnet_hpu.objectives.accuracy import PixelAccuracy
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.objectives.schedules import make_schedule


def make_model(settings):
    """Return the model that the settings name, with the weights they name."""
    model = build_model(settings.model_name, settings.n_classes, settings.input_height, settings.input_width,
                        use_upsampling=settings.use_upsampling)
    if settings.load_weights:
        copy_weights(model, settings.load_weights)
    elif settings.encoder_weights != "random":
        load_vgg16(model, settings.encoder_weights)
    return model


def copy_weights(model, path):
    """Set the model to the weights of a checkpoint. Raises UsageError unless every shape fits."""
    other, _ = load_model(path)
    for ours, theirs in zip(model.weights, other.weights, strict=False):
        if ours.shape != theirs.shape:
            raise UsageError(f"--load_weights {path}: {theirs.path} has shape {tuple(theirs.shape)}, "
                             f"{model.name} needs {tuple(ours.shape)}; give the model and classes it was made with")
    if len(model.weights) != len(other.weights):
        raise UsageError(f"--load_weights {path} is a {other.name} of {len(other.weights)} weights; "
                         f"{model.name} has {len(model.weights)}")
    model.set_weights(other.get_weights())


def compile_model(model, settings, weights, steps_per_epoch, jit_compile):
    """Compile a model for training and build its optimizer's variables.

    weights: class weights or None. steps_per_epoch: batches, for the schedule's length.
    """
    freeze_stages(model, settings.freeze_stages)
    loss = "weighted_ce" if settings.loss == "ce" and weights else settings.loss
    schedule = make_schedule(settings.lr_schedule, settings.learning_rate, settings.epochs * steps_per_epoch,
                             round(settings.warmup_epochs * steps_per_epoch))
    optimizer = make_optimizer(settings.optimizer_name, schedule, weight_decay=settings.weight_decay,
                               clipnorm=settings.clipnorm, accumulate=settings.accumulate, ema=settings.ema,
                               momentum=settings.momentum)
    if keras.config.dtype_policy().name == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    model.compile(optimizer, make_loss(loss, class_weights=weights, label_smoothing=settings.label_smoothing),
                  metrics=[PixelAccuracy()], jit_compile=jit_compile)
    model.optimizer.build(model.trainable_variables)
