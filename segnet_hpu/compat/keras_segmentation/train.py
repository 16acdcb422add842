"""keras_segmentation's `train`, over our training run."""

import contextlib
import dataclasses
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segnet_hpu import config
from segnet_hpu.compat.keras_segmentation.custom_augmentation import pair_function
from segnet_hpu.compat.keras_segmentation.inputs import Inputs, PictureFunction
from segnet_hpu.components import Choice
from segnet_hpu.data.augmentation import refuse_unused_augmentation
from segnet_hpu.data.images import rgb_of_bgr
from segnet_hpu.data.preprocessing import PairFunction
from segnet_hpu.errors import SegnetError, UsageError
from segnet_hpu.files import StrPath
from segnet_hpu.interchange.keras_segmentation import newest_weights
from segnet_hpu.launch.command import is_worker
from segnet_hpu.models.registry import names
from segnet_hpu.runtime.precision import data_type_in_force
from segnet_hpu.training.check import check
from segnet_hpu.training.dataset_settings import complete_from_dataset
from segnet_hpu.training.settings import Settings

if TYPE_CHECKING:
    import keras

    from segnet_hpu.models.trained_model import TrainedModel

FLAG = re.compile(r"--([a-z]\w*)(?: (true|false)\b)?")


def train(model: "str | keras.Model | Callable[..., keras.Model]", train_images: str | None = None,
          train_annotations: str | None = None, *,
          verify_dataset: bool = True, ignore_zero_class: bool = False, callbacks: Any = None,
          do_augment: bool = False, augmentation_name: str = "aug_all",
          custom_augmentation: Callable[..., Any] | None = None, gen_use_multiprocessing: bool = False,
          preprocessing: PictureFunction | Sequence[PictureFunction] | None = None,
          other_inputs_paths: Sequence[StrPath] | None = None, read_image_type: int = 1,
          **settings: Any) -> "keras.callbacks.History":
    """Train a model; return a keras.callbacks.History: `.history` {name: list}, `.epoch` list, both by epoch.

    model: a name of the registry, MODULE:NAME or a function (n_classes, height, width) -> model, or a functional
    Keras model, raw RGB (B, H, W, C) to logits, which starts from the weights it has unless load_weights or
    encoder_weights say otherwise.
    train_images, train_annotations: folders; or dataset="camvid" and data_root="..." among the settings.
    ignore_zero_class: leave class 0 out of loss and scores. callbacks: Keras callbacks, called as `fit` calls them.
    custom_augmentation: with do_augment, in place of augmentation_name: a function (image BGR, mask) ->
    (image, mask), or one that returns an imgaug augmenter. gen_use_multiprocessing: of no effect, the loader
    has threads. preprocessing: a function of the uint8 BGR image that every image of training and validation goes
    through, or a list with one an input; predict does not know it. read_image_type: 1 reads pictures in colour, 0 in
    grey. other_inputs_paths: folders of further pictures, found by the image's stem, which the model takes as further
    channels; inputs.py says in which order. A model for n RGB inputs is made with channels=3 * n, for grey ones n.
    settings: those of `segnet-hpu train`, by the same names; None means the default.
    Raises UsageError for wrong settings or data, RunError if the run cannot go on.
    """
    own_model = None if isinstance(model, str) else model
    network = _network_of(own_model)
    inputs = Inputs(tuple(other_inputs_paths or ()), read_image_type, preprocessing)
    inputs.refuse_other_channels(network, "train")
    values = _settings_of(network) if network else {"model_name": None if own_model else model}
    values |= {name: value for name, value in settings.items() if value is not None}
    augment = None
    if do_augment and custom_augmentation:
        augment = _of_stack(pair_function(custom_augmentation, inputs.count))
    if do_augment:
        values |= {"do_augment": do_augment, "augmentation_name": "none" if augment else augmentation_name}
    elif not isinstance(augmentation_name, str):  # a name was always let pass, as keras_segmentation does
        values["augmentation_name"] = augmentation_name
    if not verify_dataset:
        values["not_verify_dataset"] = True
    if ignore_zero_class:
        values["ignore_label"] = 0
    with _errors_in_python():
        checked = config.from_values(Settings, train_images=train_images, train_annotations=train_annotations,
                                     **values)
        complete_from_dataset(checked)
        _check(checked, own_model, network)
        from segnet_hpu.training.run import make_run

        run = make_run(checked, own_model, callbacks or (), augment, inputs.read)
        return _history(run.fit(), run.plan.trained)


def find_latest_checkpoint(checkpoints_path: str, fail_safe: bool = True) -> str | None:
    """Return the path, a str, of the newest numbered checkpoint of a prefix; None if there is none.

    It is one of ours, PREFIX.EPOCH.keras, else keras_segmentation's PREFIX.EPOCH. fail_safe: False raises
    ValueError in place of None.
    """
    from segnet_hpu.training.checkpoint import list_checkpoints

    newest = next(reversed(list_checkpoints(checkpoints_path)), None) or newest_weights(checkpoints_path)
    if newest is None and not fail_safe:
        raise ValueError(f"no checkpoint {checkpoints_path}.EPOCH; check the prefix that training was given")
    return None if newest is None else str(newest)


def _check(settings: Settings, own_model: Any, network: "keras.Model | None") -> None:
    check(settings, network is not None or (own_model is not None and str(Choice(own_model))))
    refuse_unused_augmentation(settings)
    _refuse_command_lines(settings)


def _refuse_command_lines(settings: Settings) -> None:
    if settings.dry_run or settings.print_config:
        raise UsageError("dry_run and print_config are for the command line, segnet-hpu train; leave them out")
    if settings.distributed and not is_worker(settings):
        raise UsageError("distributed starts no workers from Python; start this script by horovodrun or mpirun, or "
                         "use segnet-hpu train")


@contextlib.contextmanager
def _errors_in_python() -> Iterator[None]:
    """Within this context the messages of errors name settings as Python does: add auto_resume_checkpoint=True."""
    switches = {field.name: bool in (field.type, *getattr(field.type, "__args__", ()))
                for field in dataclasses.fields(Settings)}

    def in_python(flag: re.Match[str]) -> str:
        name, value = flag.groups()
        if name not in switches:
            return flag[0]
        return f"{name}={value != 'false'}" if switches[name] else flag[0].removeprefix("--")

    try:
        yield
    except SegnetError as error:
        error.args = tuple(FLAG.sub(in_python, arg) if isinstance(arg, str) else arg for arg in error.args)
        raise


def _of_stack(function: PairFunction) -> PairFunction:
    """Return the function of a stack that `function`, of BGR pictures one after another and a mask, amounts to."""
    def change(stack: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pictures, mask = function(np.ascontiguousarray(stack[:, :, ::-1]), mask)
        stack = rgb_of_bgr(np.asarray(pictures))
        return stack, np.asarray(mask).astype(np.uint8).reshape(stack.shape[:2])
    return change


def _network_of(model: Any) -> "keras.Model | None":
    """Return what is a network already. Raises UsageError for what neither is one nor makes one."""
    keras = sys.modules.get("keras")
    if keras and isinstance(model, keras.Model):
        from segnet_hpu.models.build import refuse_unusable

        refuse_unusable(model, "model is")
        return model
    if model is None or (callable(model) and not hasattr(model, "input_shape")):
        return None
    if not (hasattr(model, "input_shape") and len(model.input_shape) == len(model.output_shape) == 4):
        raise UsageError(f"model is {model!r}; expected a name that `segnet-hpu models` lists, MODULE:NAME, a "
                         "function (n_classes, height, width) -> keras.Model, or a functional keras.Model")
    return model


def _settings_of(model: "keras.Model") -> dict[str, Any]:
    """The settings that a model brings with it."""
    _, height, width, _ = model.input_shape
    return {"model_name": model.name if model.name in names() else None, "n_classes": model.output_shape[-1],
            "input_height": height, "input_width": width, "encoder_weights": "random",
            "data_type": data_type_in_force()}


def _history(rows: Sequence[dict[str, Any]], trained: "TrainedModel") -> "keras.callbacks.History":
    import keras

    if hasattr(trained.network, "trained"):
        trained.network.trained = trained  # its methods predict as the checkpoints do
    history = keras.callbacks.History()
    history.set_model(trained.network)
    history.epoch = [row["epoch"] - 1 for row in rows]
    history.history = {name: [row.get(name) for row in rows] for row in rows[:1] for name in row if name != "epoch"}
    return history
