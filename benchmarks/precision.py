"""How much faster a training step is in bf16 than in fp32: one process, steps taken in turn.

    python benchmarks/precision.py [--height 320 --width 640 --batch 2 --steps 10]
"""

import argparse
import statistics
import time

import keras
import numpy as np

from segnet_hpu.models.build import build_model
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.precision import set_precision
from segnet_hpu.training.step import make_train_step


def trained_model(data_type, device, size):
    """A compiled vgg_segnet of 12 classes, as `train` makes it."""
    set_precision(data_type, device)
    model = build_model("vgg_segnet", 12, *size)
    model.compile(make_optimizer("adam", 1e-4), make_loss("ce"), jit_compile=device.jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("height", 320), ("width", 640), ("batch", 2), ("steps", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    flags = parser.parse_args()
    device = select_device("auto")
    size = (flags.height, flags.width)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (flags.batch, *size, 3), np.uint8)
    models = {name: trained_model(name, device, size) for name in ("fp32", "bf16")}
    train_steps = {name: make_train_step(model, model.loss, count_pixels) for name, model in models.items()}
    seconds = {name: [] for name in models}
    for step in range(flags.steps + 2):
        for name, model in models.items():
            labels = rng.integers(0, 12, (flags.batch, *model.output_shape[1:3]), np.uint8)
            began = time.perf_counter()
            train_steps[name](images, labels)
            if step >= 2:
                seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, median in medians.items():
        print(f"{name}: {median:.3f} s a step, {flags.batch / median:.2f} images/s on {device.description}, "
              f"Keras {keras.__version__}")
    print(f"bf16 is {medians['fp32'] / medians['bf16']:.2f} times as fast")


if __name__ == "__main__":
    main()
