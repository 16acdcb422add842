"""Copies keras_segmentation's weights into our models and prints how far the outputs are apart.

usage: python benchmarks/compare_keras_segmentation.py DIR/bin/python [NAME ...]
DIR is made by setup_keras_segmentation.sh. Both networks get the same normalised image, because
keras_segmentation feeds RGB with BGR's means.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import keras
import numpy as np

from segnet_hpu.interchange.keras_segmentation import set_weights
from segnet_hpu.models.build import build_model
from segnet_hpu.models.registry import find

N_CLASSES = 12
NAMES = ("vgg_segnet", "segnet", "resnet50_unet", "vgg_unet", "fcn_8_mobilenet", "fcn_32_vgg", "vgg_pspnet",
         "resnet50_pspnet", "unet_mini", "pspnet_50")
# The smallest that keras_segmentation takes, by the first part that a name contains; else 96x128.
SIZES = {"mobilenet": (224, 224), "pspnet_50": (473, 473), "resnet50_pspnet": (384, 384), "pspnet": (192, 384),
         "resnet50": (224, 256)}


def main():
    python, *names = sys.argv[1:]
    for name in names or NAMES:
        theirs, ours = outputs(python, name)
        print(f"{name}: {ours.shape[0]}x{ours.shape[1]}, largest difference of softmax "
              f"{np.abs(theirs - ours).max():.1e} (standard deviation {theirs.std():.2f}), same class in "
              f"{np.mean(theirs.argmax(-1) == ours.argmax(-1)):.4%}", flush=True)


def outputs(python, name):
    """Return (theirs, ours): the softmax (H, W, 12) of both networks with the same weights and image."""
    size = next((s for part, s in SIZES.items() if part in name), (96, 128))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "theirs.npz"
        done = subprocess.run([python, Path(__file__).with_name("keras_segmentation_models.py"), "answer", file,
                               name, *map(str, size)], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
        arrays = dict(np.load(file))
    # The release 0.3.0 has no ReLU in its U-Net's decoder.
    options = {"relu": False} if find(name).decoder == "unet" else {}
    model = build_model(name, N_CLASSES, *size, **options)
    copy_weights(arrays, model)
    body = keras.Model(model.get_layer("normalise").output, model.output)
    logits = body.predict(arrays["image"], verbose=0)
    return arrays["output"], keras.ops.convert_to_numpy(keras.ops.softmax(logits))[0]


def copy_weights(arrays, model):
    """Set the model to the arrays {"LAYER:INDEX": value} of keras_segmentation's."""
    theirs = {}
    for key, value in arrays.items():
        if ":" in key:
            theirs.setdefault(key.split(":")[0], []).append(value)
    set_weights(model, theirs, "keras_segmentation")


if __name__ == "__main__":
    main()
