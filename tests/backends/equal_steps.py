"""Twenty fp32 steps of a small SegNet by the backend in force: KERAS_BACKEND=... python equal_steps.py FILE CASE ...

A case is a loss and an optimizer, such as dice/adam. FILE (.npz) gets for each the losses of the steps (20,), and
under CASE:weights all weights after them as one vector. equal_steps.npz holds the losses of TensorFlow 2.21.
"""

import sys

import keras
import numpy as np
from keras import layers

from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.training.step import make_train_step

CLASSES, SIZE, STEPS = 4, (24, 32), 20
LOSSES = ["ce", "weighted_ce", "dice", "ce_dice", "focal", "lovasz", "ce_lovasz", "ohem", "tversky"]
OPTIMIZERS = ["sgd", "adam", "adamw", "nadam", "adamax", "adadelta", "adagrad", "rmsprop", "adafactor", "ftrl",
              "lion"]
CASES = [f"{loss}/{name}" for loss in LOSSES for name in ("sgd", "adam")]
CASES += [f"ce/{name}" for name in OPTIMIZERS[2:]]


def network():
    """Return a SegNet of one stage with the same weights on every backend.

    No bias stands before batch normalisation, which takes it away: its gradient is 0 but for rounding, of which
    Adam and its like make steps as long as any.
    """
    image = keras.Input((*SIZE, 3))
    x = layers.Rescaling(1 / 64, -2)(image)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
    x, mask = MaxPoolingWithMask()(x)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    model = keras.Model(image, layers.Conv2D(CLASSES, 3, padding="same")(Unpooling()([x, mask])))
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.name == "kernel":
            variable.assign(rng.normal(0, np.sqrt(2 / np.prod(variable.shape[:-1])), variable.shape))
    return model


def batches():
    """Yield images whose brightness tells the class, with noise, and their labels; the first rows are void."""
    rng = np.random.default_rng(1)
    for _ in range(STEPS):
        labels = rng.integers(0, CLASSES, (2, SIZE[0] // 4, SIZE[1] // 4)).repeat(4, 1).repeat(4, 2).astype("uint8")
        images = rng.normal(60 * labels[..., None], 20, (*labels.shape, 3)).astype("float32")
        labels[:, :2] = 255
        yield images, labels


def trained(case):
    """Return (losses of the steps, weights after them as one vector)."""
    loss, optimizer = case.split("/")
    keras.utils.clear_session()
    model = network()
    options = {"class_weights": [1, 2, 0.5, 1]} if loss == "weighted_ce" else {}
    jit = keras.config.backend() == "jax"
    model.compile(make_optimizer(optimizer, 1e-3), make_loss(loss, **options), jit_compile=jit)
    model.optimizer.build(model.trainable_variables)
    step = make_train_step(model, model.loss)
    losses = [step(*batch).loss for batch in batches()]
    return losses, np.concatenate([np.ravel(keras.ops.convert_to_numpy(v)) for v in model.weights])


def main():
    file, *cases = sys.argv[1:]
    found = {}
    for case in cases or CASES:
        found[case], found[f"{case}:weights"] = trained(case)
        np.savez_compressed(file, **found)


if __name__ == "__main__":
    main()
