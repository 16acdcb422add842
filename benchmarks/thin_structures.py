"""How thin structures fare when they shrink: images averaged or read at centres, labels at centres or by majority.

Draws membranes, lines 2 pixels wide between cells of random shape, trains a unet_mini on each choice at a part of
their size, and scores it at the labels' own size. About a minute a choice on one core:

    python benchmarks/thin_structures.py [SHRINK] [STEPS]

And CamVid, whose poles and signs are thin, before and after at the same seed:

    for choice in bilinear area; do
        python -m segnet_hpu train --model_name resnet18_deeplabv3plus --encoder_weights random --n_classes 12 \\
            --train_images $SEGNET_TEST_DATA/camvid/train --train_annotations $SEGNET_TEST_DATA/camvid/trainannot \\
            --val_images $SEGNET_TEST_DATA/camvid/val --val_annotations $SEGNET_TEST_DATA/camvid/valannot \\
            --ignore_label 11 --palette camvid --input_height 96 --input_width 128 --batch_size 4 \\
            --epochs 3 --seed 1 \\
            --image_downsampling $choice --align_maps $([ $choice = area ] && echo true || echo false) \\
            --model_dir runs/$choice
    done
"""

import itertools
import sys

import keras
import numpy as np

from segnet_hpu.data.geometry import Downsampling
from segnet_hpu.data.preprocessing import EvalTransform, TrainTransform
from segnet_hpu.inference.predictor import classes_at
from segnet_hpu.models.build import build_model
from segnet_hpu.objectives.losses import make_loss

SIZE = 64  # of the network's input and output
PICTURES = 24


def membranes(side: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (image uint8 (side, side, 3), label uint8 (side, side)): dark lines, 1, between grey cells, 0."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, side, (max(8, side * side // 600), 2))
    places = np.mgrid[:side, :side].reshape(2, -1).T
    distances = np.sort(np.linalg.norm(places[:, None] - centres, axis=2), axis=1)[:, :2]
    label = (distances[:, 1] - distances[:, 0] < 2).reshape(side, side).astype(np.uint8)
    grey = np.where(label, 90, 150) + rng.normal(0, 25, (side, side))
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2), label


def intersection_over_union(truth: np.ndarray, found: np.ndarray) -> float:
    return float((truth & found).sum() / max((truth | found).sum(), 1))


def score(downsampling: Downsampling, shrink: float, steps: int) -> float:
    """Return the membranes' IoU on drawings that were not trained on."""
    pairs = [membranes(round(SIZE * shrink), seed) for seed in range(PICTURES)]
    keras.utils.set_random_seed(0)
    model = build_model("unet_mini", 2, SIZE, SIZE)
    model.compile(keras.optimizers.Adam(1e-3), make_loss("ce"))
    transform = TrainTransform((SIZE, SIZE), model.output_shape[1:3], downsampling=downsampling)
    rng = np.random.default_rng(0)
    samples = [transform(*pair, rng) for pair in pairs[:PICTURES * 3 // 4]]
    for _ in range(steps):
        batch = [samples[i] for i in rng.integers(0, len(samples), 4)]
        model.train_on_batch(np.stack([b[0] for b in batch]).astype(np.float32), np.stack([b[1] for b in batch]))
    resized = EvalTransform((SIZE, SIZE), downsampling=downsampling.image)
    scores = []
    for image, label in pairs[PICTURES * 3 // 4:]:
        logits = np.asarray(model(resized(image)[None].astype(np.float32), training=False))[0]
        scores.append(intersection_over_union(label == 1, classes_at(logits, label.shape) == 1))
    return float(np.mean(scores))


if __name__ == "__main__":
    shrink = float(sys.argv[1]) if len(sys.argv) > 1 else 2.5
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    for image, label in itertools.product(("area", "bilinear"), ("centre", "majority")):
        result = score(Downsampling(image, label), shrink, steps)
        print(f"shrunk by {shrink:g}: image {image}, label {label}: IoU of membranes {result:.3f}", flush=True)
