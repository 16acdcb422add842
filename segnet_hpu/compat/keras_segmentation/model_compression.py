"""keras_segmentation's `perform_distilation`: a small network learns to answer as a large one, without labels."""

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


def perform_distilation(teacher_model, student_model, data_path, distilation_loss="kl", batch_size=6,
                        checkpoints_path=None, epochs=32, steps_per_epoch=512, feats_distilation_loss=None,
                        feats_distilation_loss_w=0.1, seed=0):
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
    paths = [path for paths in files_by_stem(data_path, IMAGE_FORMATS).values() for path in paths]
    if checkpoints_path is not None:
        refuse_unwritable("checkpoints_path", checkpoints_path)
    student.compile(keras.optimizers.Adam())
    student.optimizer.build(student.trainable_variables)

    def loss(targets, outputs):
        pairs = zip(keras.tree.flatten(targets), keras.tree.flatten(outputs), strict=True)  # a single one is no list
        return sum(weight * function(target, output) for weight, function, (target, output)
                   in zip((1.0, feats_distilation_loss_w), losses, pairs, strict=False))

    step = make_train_step(student, loss)
    batches = _batches(paths, batch_size, [input_transform(m) for m in (teacher_model, student_model)], seed)
    history = []
    for epoch in range(1, epochs + 1):
        total = 0.0
        with Progress(f"distil {epoch}/{epochs}", steps_per_epoch, "step") as progress:
            for _ in range(steps_per_epoch):
                for_teacher, for_student = next(batches)
                result = step(for_student, teacher.predict_on_batch(for_teacher))
                total += result.loss
                progress.update(1, f"loss {result.loss:.4f}")
        history.append(total / steps_per_epoch)
        if checkpoints_path is not None:
            TrainedModel.of(student_model).save(f"{checkpoints_path}.{epoch}.keras",
                                                "free space or choose another prefix")
    return history


def _with_outputs(model, n):
    """Return a model of the same layers that gives softmax and, for n = 2, the input of the last convolution."""
    features = []

    def call(layer, *inputs, **options):
        if hasattr(layer, "kernel"):
            features.append(inputs[0])
        return layer(*inputs, **options)

    # Called anew, because a layer may be part of other models too and does not know what it gets in this one.
    twin = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return keras.Model(twin.input, [layers.Softmax(dtype="float32")(twin.output), *features[-1:]][:n])


def _to_size(output, target, i):
    same = output.shape[1:3] == target.shape[1:3]
    return output if same else resize(output, target.shape[1:3], f"distil_resize{i}")


def _refuse_unlike(teacher, student, names):
    for what, name, theirs, ours in zip(("classes", "feature channels"), names, teacher.outputs, student.outputs,
                                        strict=False):
        if name in ("l1", "l2", "kl") and theirs.shape[-1] != ours.shape[-1]:
            raise UsageError(f"the teacher has {theirs.shape[-1]} {what}, the student {ours.shape[-1]}; {name} "
                             "compares as many. Give models that agree, or the loss pa")


def _batches(paths, size, transforms, seed):
    """Yield, without end, a float32 batch for each of the transforms; all pictures in turn, shuffled anew."""
    rng = np.random.default_rng(seed)
    order = []
    while True:
        while len(order) < size:
            order += rng.permutation(len(paths)).tolist()
        images = [read_image(paths[i]) for i in order[:size]]
        order = order[size:]
        yield [np.stack([transform(image) for image in images]).astype(np.float32) for transform in transforms]
