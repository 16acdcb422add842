"""How close the gradients of a bf16 training step are to fp32's, layer by layer, on this machine.

    python benchmarks/bf16_gradients.py [--models enet,unet --height 192 --width 256 --batch 2]

Each layer's gradients are compared with those that the same layer computes in float32 from the same inputs and the
same gradient of its output, both taken out of the bf16 step. Two whole networks cannot be compared: what bf16 rounds
in front of one layer changes what the next ones see, and deep networks with fresh weights multiply that.
"""

import argparse
from collections import Counter

import cv2
import keras
import ml_dtypes  # noqa: F401  NumPy then knows bfloat16
import numpy as np
import tensorflow as tf

from segnet_hpu.models.build import build_model
from segnet_hpu.models.registry import MODELS, find, input_size
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.precision import set_precision
from segnet_hpu.training.step.tensorflow import float32_bias_gradients

LEAST_COSINE, LARGEST_DEVIATION = 0.999, 0.02


def compare_gradients(model, images, labels):
    """Yield (what for, norm of the bf16 step's gradient by that of float32's, cosine of the two).

    model: functional, mixed_bfloat16. Gradients of variables, and of maps that only one layer takes. Those that
    are zero but for rounding, as of a bias before batch normalisation, are left out.
    """
    others = (keras.layers.InputLayer, keras.layers.Dropout)
    layers = [layer for layer in model.layers if not isinstance(layer, others)
              and isinstance(layer.input, keras.KerasTensor) and isinstance(layer.output, keras.KerasTensor)]
    tapped = keras.Model(model.input, [[layer.input for layer in layers], [layer.output for layer in layers],
                                       model.output])
    consumers = Counter(id(x) for layer in model.layers for x in keras.tree.flatten(layer.input))
    loss = make_loss("ce")

    @tf.function(autograph=False)
    def step(images, labels):
        with float32_bias_gradients(), tf.GradientTape() as tape:
            tape.watch(images)
            inputs, outputs, logits = tapped(images, training=True)
            value = loss(labels, logits)
        sources = [[*layer.trainable_variables, x] for layer, x in zip(layers, inputs, strict=True)]
        return inputs, *tape.gradient(value, [outputs, sources])

    for layer, x, dy, found in zip(layers, *step(tf.cast(images, tf.float32), labels), strict=True):
        names = [variable.path for variable in layer.trainable_variables]
        names += [f"{layer.name}'s input"] * (consumers[id(layer.input)] == 1)
        for name, bf16, fp32 in zip(names, found, _in_float32(layer, x, dy), strict=False):
            a, b = (np.asarray(g, np.float64).ravel() for g in (bf16, fp32))
            if np.linalg.norm(b) > 2**-8 * np.linalg.norm(dy):
                ratio = np.linalg.norm(a) / np.linalg.norm(b)
                yield name, ratio, a @ b / np.linalg.norm(b)**2 / ratio


def _in_float32(layer, x, dy):
    """The gradients of a float32 twin's variables and input; its weights are rounded as the bf16 layer's are."""
    twin = type(layer).from_config(layer.get_config() | {"dtype": "float32"})
    twin.build(layer.input.shape)
    rounds = not isinstance(layer, keras.layers.BatchNormalization)
    twin.set_weights([w.astype("bfloat16").astype("float32") if rounds else w for w in layer.get_weights()])
    x, dy = tf.cast(x, tf.float32), tf.cast(dy, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = twin(x, training=True) if hasattr(twin, "momentum") else twin(x)
    return tape.gradient(y, [*twin.trainable_variables, x], dy)


def pictures(shape, output_shape, seed=0):
    """Return smooth uint8 pictures (B, H, W, 3) and labels (B, h, w) in patches."""
    rng = np.random.default_rng(seed)
    batch, height, width, _ = shape
    images = [cv2.resize(rng.integers(0, 256, (12, 16, 3), np.uint8), (width, height)) for _ in range(batch)]
    labels = [cv2.resize(rng.integers(0, output_shape[-1], (6, 8), np.uint8), output_shape[2:0:-1],
                         interpolation=cv2.INTER_NEAREST) for _ in range(batch)]
    return np.stack(images), np.stack(labels)


def nearest_size(name, height, width):
    """The sides that the model takes, at or above these."""
    spec = find(name)
    return input_size(name, *(side + (spec.remainder - side) % spec.divisor for side in (height, width)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    for name, default in (("height", 192), ("width", 256), ("batch", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    flags = parser.parse_args()
    set_precision("bf16", select_device("cpu"))
    for name in flags.models.split(","):
        keras.utils.set_random_seed(0)
        model = build_model(name, 12, *nearest_size(name, flags.height, flags.width))
        images, labels = pictures((flags.batch, *model.input_shape[1:]), model.output_shape)
        rows = list(compare_gradients(model, images, labels))
        wrong = [row for row in rows if abs(row[1] - 1) > LARGEST_DEVIATION or row[2] < LEAST_COSINE]
        deviation, cosine = max(abs(row[1] - 1) for row in rows), min(row[2] for row in rows)
        print(f"{name}: {len(rows)} gradients, {len(wrong)} off; largest deviation {deviation:.2%}, least cosine "
              f"{cosine:.5f}", flush=True)
        for path, ratio, cosine in wrong:
            print(f"  {path}: {ratio:.3f} of fp32's, cosine {cosine:.4f}")


if __name__ == "__main__":
    main()
