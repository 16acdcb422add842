"""keras_segmentation's `perform_distilation`: a small network learns to answer as a large one, without labels."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem
from segnet_hpu.data.images import read_image
from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_unwritable
from segnet_hpu.inference.predictor import input_transform
from segnet_hpu.models.blocks import resize
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.objectives.losses.distillation import distillation_loss
from segnet_hpu.progress import Progress
from segnet_hpu.training.step import make_train_step

Loss = str | Callable[[Any, Any], Any]


def perform_distilation(teacher_model: keras.Model, student_model: keras.Model, data_path: str | Path,
                        distilation_loss: Loss = "kl", batch_size: int = 6, checkpoints_path: str | None = None,
                        epochs: int = 32, steps_per_epoch: int = 512, feats_distilation_loss: Loss | None = None,
                        feats_distilation_loss_w: float = 0.1, seed: int = 0) -> list[float]:
    """Train the student, in place, on the teacher's softmax of a folder's pictures; return each epoch's mean loss.

    teacher_model, student_model: raw RGB to logits, of any two sizes; the student's softmax is resized to the
    teacher's. distilation_loss: "l1", "l2", "kl", "pa" (pairs of pixels, arXiv 1903.04197), or a function
    (teacher, student) -> scalar. feats_distilation_loss: one of these for the feature maps before the last
    convolution, added with the weight feats_distilation_loss_w. checkpoints_path: prefix of PREFIX.EPOCH.keras.
    Raises UsageError for networks that the loss cannot compare, and for an empty folder.
    """
    losses = [distillation_loss(distilation_loss)]
    if feats_distilation_loss is not None:
        losses.append(distillation_loss(feats_distilation_loss))
    teacher = _with_outputs(teacher_model, len(losses))
    student = _with_outputs(student_model, len(losses))
    student = keras.Model(student.input, [_to_size(output, target, i) for i, (output, target) in
                                          enumerate(zip(student.outputs, teacher.outputs, strict=True))])
    _refuse_unlike(teacher, student, (distilation_loss, feats_distilation_loss))
    paths = [path for paths in files_by_stem(data_path, IMAGE_FORMATS, below=False).values() for path in paths]
    if checkpoints_path is not None:
        refuse_unwritable("checkpoints_path", checkpoints_path)
    student.compile(keras.optimizers.Adam())
    student.optimizer.build(student.trainable_variables)

    step = make_train_step(student, _weighted_sum(losses, (1.0, feats_distilation_loss_w)))
    batches = _batches(paths, batch_size, [input_transform(m) for m in (teacher_model, student_model)], seed)
    history = []
    for epoch in range(1, epochs + 1):
        seen = []
        with Progress(f"distil {epoch}/{epochs}", steps_per_epoch, "step") as progress:
            for _ in range(steps_per_epoch):
                for_teacher, for_student = next(batches)
                seen.append(step(for_student, teacher.predict_on_batch(for_teacher)).loss)
                progress.update(1, f"loss {seen[-1]:.4f}")
        history.append(sum(seen) / len(seen))
        if checkpoints_path is not None:
            TrainedModel.of(student_model).save(f"{checkpoints_path}.{epoch}.keras",
                                                "free space or choose another prefix")
    return history


def _weighted_sum(losses: Sequence[Callable[[Any, Any], Any]], weights: Sequence[float]) -> Callable[[Any, Any], Any]:
    """Return the loss of a network with an output for each of `losses`; further weights count for nothing."""
    def loss(targets: Any, outputs: Any) -> Any:
        # A single output is no list.
        pairs = zip(keras.tree.flatten(targets), keras.tree.flatten(outputs), strict=True)
        return sum(weight * function(*pair) for weight, function, pair in zip(weights, losses, pairs, strict=False))
    return loss


def _with_outputs(model: keras.Model, n: int) -> keras.Model:
    """Return a model of the same layers that gives softmax and, for n = 2, the input of the last convolution."""
    features: list[Any] = []

    def call(layer: keras.Layer, *inputs: Any, **options: Any) -> Any:
        if hasattr(layer, "kernel"):
            features.append(inputs[0])
        return layer(*inputs, **options)

    # Called anew, because a layer may be part of other models too and does not know what it gets in this one.
    twin = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(twin.input, [layers.Softmax(dtype="float32")(twin.output), *features[-1:]][:n])


def _to_size(output: keras.KerasTensor, target: keras.KerasTensor, i: int) -> keras.KerasTensor:
    same = output.shape[1:3] == target.shape[1:3]
    return output if same else resize(output, target.shape[1:3], f"distil_resize{i}")


def _refuse_unlike(teacher: keras.Model, student: keras.Model, names: Sequence[Loss | None]) -> None:
    for what, name, theirs, ours in zip(("classes", "feature channels"), names, teacher.outputs, student.outputs,
                                        strict=False):
        if name in ("l1", "l2", "kl") and theirs.shape[-1] != ours.shape[-1]:
            raise UsageError(f"the teacher has {theirs.shape[-1]} {what}, the student {ours.shape[-1]}; {name} "
                             "compares as many. Give models that agree, or the loss pa")


def _batches(paths: Sequence[str], size: int, transforms: Sequence[Callable[[np.ndarray], np.ndarray]],
             seed: int) -> Iterator[list[np.ndarray]]:
    """Yield, without end, a float32 batch for each of the transforms; all pictures in turn, shuffled anew."""
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while True:
        while len(order) < size:
            order += rng.permutation(len(paths)).tolist()
        images = [read_image(paths[i]) for i in order[:size]]
        order = order[size:]
        yield [np.stack([transform(image) for image in images]).astype(np.float32) for transform in transforms]
