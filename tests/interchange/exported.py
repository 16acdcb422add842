"""A small network of every kind of layer that formats can stumble over, trained on toy pictures; and its exports."""

import keras
import numpy as np
from keras import layers

from segnet_hpu.cli import main
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.models.layers import LocalResponseNormalization, MaxPoolingWithMask, Unpooling
from segnet_hpu.models.trained_model import TrainedModel
from toy import write_toy

SIZE = (34, 45)  # odd where it hurts: 17x23 after one pooling
ABOUT = {"class_names": ("sky", "ground", "box"), "palette": "voc", "ignore_label": 255}


def network():
    """Logits (B, 17, 23, 3) of (B, 34, 45, 3): masks and unpooling of odd sides, LRN, two ways of enlarging."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input((*SIZE, 3), name="image")
    x = layers.Rescaling(1 / 127.5, -1, dtype="float32")(x)
    x = LocalResponseNormalization(dtype="float32")(x)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x)))
    x, outer = MaxPoolingWithMask()(x)
    x, inner = MaxPoolingWithMask()(layers.Conv2D(8, 3, padding="same", activation="relu")(x))
    small = layers.GlobalAveragePooling2D(keepdims=True)(x)
    small = layers.UpSampling2D(x.shape[1:3], interpolation="bilinear")(small)
    x = Unpooling()([layers.Conv2D(8, 1)(layers.Concatenate()([x, small])), inner])
    x = Unpooling()([x, outer])
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Resizing(17, 23, interpolation="bilinear")(x)
    return keras.Model(image, layers.Conv2D(3, 1, dtype="float32")(x), name="pieces")


def train(folder, model, steps=150):
    """Write toy pictures into a folder, train a network on them and save it as model.keras."""
    images, labels = write_toy(folder, 12, SIZE)
    x = np.stack([read_image(p) for p in sorted(images.iterdir())]).astype(np.float32)
    rows, columns = (np.linspace(0, n - 1, m).round().astype(int)
                     for n, m in zip(SIZE, model.output_shape[1:3], strict=True))
    y = np.stack([read_label(p)[rows][:, columns] for p in sorted(labels.iterdir())])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=12, epochs=steps, verbose=0)
    TrainedModel(model, **ABOUT).save(folder / "model.keras")
    return folder


def export(*argv):
    """Run the command in this process; return its exit status."""
    return main(["export", *map(str, argv)])
