"""Trains networks two steps each on a device of PyTorch and prints of each a JSON line.

    python steps.py hpu|cpu '[{"model": NAME, "size": [H, W], "options": {}, "data_type": "bf16", "loss": NAME}, ...]'

Printed are the losses, a checksum of the weights before and after, and on the stand-in the operators called.
"""

import json
import sys
from typing import Any

import numpy as np

from segnet_hpu.runtime import backends, gaudi

CLASSES = 3


def train(model: str, size: list[int], options: dict[str, Any], data_type: str, loss: str,
          optimizer: str) -> dict[str, Any]:
    """Return what came of two steps from weights of seed 0."""
    import keras

    from segnet_hpu.models.build import build_model
    from segnet_hpu.objectives.accuracy import count_pixels
    from segnet_hpu.objectives.losses import make_loss
    from segnet_hpu.objectives.optimizers import make_optimizer
    from segnet_hpu.runtime.precision import POLICIES
    from segnet_hpu.training.step import make_train_step

    keras.config.set_dtype_policy(POLICIES[data_type])
    keras.utils.set_random_seed(0)
    network = build_model(model, CLASSES, *size, **options)
    before = checksum(network)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (2, *size, 3)).astype("float32")
    labels = random.integers(0, CLASSES, (2, *network.output_shape[1:3])).astype("uint8")
    labels[:, 0] = 255
    weights = {"class_weights": [0.5, 1.0, 2.0]} if "weighted" in loss else {}
    network.compile(make_optimizer(optimizer, 1e-3, ema=0.9, weight_decay=1e-4, clipnorm=1.0),
                    make_loss(loss, **weights), jit_compile=False)
    network.optimizer.build(network.trainable_variables)
    step = make_train_step(network, network.loss, count_pixels)
    losses = [step(images, labels).loss for _ in range(2)]
    return {"losses": losses, "weights": [before, checksum(network)]}


def checksum(network: Any) -> float:
    """Return the sum of the weights' sizes."""
    return float(sum(np.abs(weight.astype("float64")).sum() for weight in network.get_weights()))


def main(device: str, cases: list[dict[str, Any]]) -> None:
    backends.use("torch")
    if device == "hpu":
        gaudi.load(backends.current(), None)
        from habana_frameworks.torch import take_counts
    else:
        backends.current().use_cpu()
    for case in cases:
        done = train(**{"options": {}, "loss": "ce", "optimizer": "adam", "data_type": "fp32"} | case)
        print(json.dumps(case | done | {"calls": dict(take_counts()) if device == "hpu" else {}}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
