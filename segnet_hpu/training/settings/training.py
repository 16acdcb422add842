"""What is minimised, how, for how long, and by what it is judged."""

from dataclasses import dataclass

from segnet_hpu.components import Choice
from segnet_hpu.config import component, option
from segnet_hpu.evaluation.metrics import scores
from segnet_hpu.objectives.losses import losses
from segnet_hpu.objectives.optimizers import optimizers
from segnet_hpu.objectives.schedules import schedules


@dataclass(kw_only=True)
class Training:
    """What is minimised, how, for how long, and by what it is judged."""

    GROUP = "training"

    epochs: int | str = option(5, "passes over the data, or of steps_per_epoch; auto: as is usual for the data set, "
                               "else so many that there are 20,000 steps", minimum=1,
                               words={"auto": "auto"}, changes="nothing")
    batch_size: int = option(2, "images a step of each worker; auto: 4", minimum=1,
                             words={"auto": 4}, changes="training")
    val_batch_size: int = option(2, "images a validation step of each worker", minimum=1, changes="nothing")
    steps_per_epoch: int | None = option(None, "steps; the whole data set if not set", minimum=1, changes="training")
    val_steps_per_epoch: int | None = option(None, "validation steps; the whole set if not set", minimum=1,
                                             changes="scores")
    val_metrics: list[Choice] | None = component(scores, None, "further scores of validation, a,b", many=True,
                                                 changes="scores")
    loss: Choice = component(losses, "ce", "what is minimised", changes="training")
    loss_type: int | None = option(None, "Habana's number of a cross-entropy implementation; all are ce here",
                                   choices=(0, 1, 2), changes="nothing")
    l2: float = option(0.0, "adds this times the sum of the squares of all kernels to the loss", minimum=0.0,
                       changes="training")
    optimizer_name: Choice = component(optimizers, "adam", "Keras's optimizer", changes="training")
    learning_rate: float = option(0.001, "the highest rate of the schedule", minimum=0, changes="training")
    decoder_rate: float = option(1.0, "by what the rate is multiplied for all that is not the encoder, such as 10",
                                 above=0, changes="training")
    lr_schedule: Choice = component(schedules, "constant", "how the rate falls", changes="training")
    warmup_epochs: float | None = option(None, "epochs over which the rate rises from 0; if not set none, or with a "
                                         "scaled rate 5 and at most a tenth of all", minimum=0.0, changes="training")
    scale_lr: str = option("none", "by what the rate is multiplied for n workers: 1, n or the root of n",
                           choices=("none", "linear", "sqrt"), changes="training")
    sync_batch_norm: bool = option(False, "normalise over the batches of all workers together", changes="training")
    weight_decay: float = option(0.0, "decoupled; biases, batch norm and PReLU are left out", minimum=0.0,
                                 changes="training")
    clipnorm: float | None = option(None, "limit of the gradients' global norm", above=0, changes="training")
    accumulate: int = option(1, "steps whose gradients are averaged into one update", minimum=1, changes="training")
    ema: float | None = option(None, "momentum of an average of the weights, which is then judged and kept, "
                               "such as 0.999", above=0, below=1, example="0.999", changes="training")
    average_momentum: str = option("rising", "momentum of the moving averages, batch normalisation's and --ema's: "
                                   "rising with the steps, so that short trainings are right, or constant, as in "
                                   "earlier versions, with statistics not counted anew for --ema",
                                   choices=("rising", "constant"), changes="training")
    monitor: str | None = option(None, "what the best epoch is best in: loss, accuracy, val_loss, val_mean_iou and "
                                 "the other scores, val_iou_CLASS; if not set val_mean_iou, or loss without "
                                 "validation", changes="scores")
    early_stopping: int | None = option(None, "stop after this many epochs in which `monitor` is no better",
                                        minimum=1, changes="nothing")
    seed: int = option(0, "of weights, order and augmentation", minimum=0, maximum=2**32 - 1, changes="training")
