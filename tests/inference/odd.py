"""A small model, and pictures of sizes other than its own."""

import cv2
import keras
import numpy as np

SIZES = [(37, 53), (64, 40), (29, 31)]
N_CLASSES = 4


def build(n_classes=N_CLASSES):
    """Logits at half the input's size that differ from place to place."""
    keras.utils.set_random_seed(0)
    x = image = keras.Input((32, 48, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(x)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(image, keras.layers.Conv2D(n_classes, 3, padding="same", bias_initializer="normal")(x),
                       name="odd")


def write_pictures(folder, values=range(N_CLASSES)):
    """Write images/*.png, smooth noise of each size, and labels/*.png with these values in blocks."""
    rng = np.random.default_rng(0)
    images, labels = [], []
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for i, (height, width) in enumerate(SIZES):
        image = cv2.resize(rng.integers(0, 256, (6, 7, 3), np.uint8), (width, height))
        label = cv2.resize(rng.choice(np.array(list(values), np.uint8), (5, 6)), (width, height),
                           interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(folder / f"images/{i}.png"), image)
        cv2.imwrite(str(folder / f"labels/{i}.png"), label)
        images.append(image[..., ::-1])
        labels.append(label)
    return images, labels


def by_hand(model, image):
    """Class map of an RGB image at its own size, computed apart from the package."""
    small = cv2.resize(np.ascontiguousarray(image), (48, 32), interpolation=cv2.INTER_LINEAR)
    logits = np.asarray(model(small[None].astype(np.float32)))[0]
    large = cv2.resize(logits, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return large.argmax(-1)
