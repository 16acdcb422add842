"""What a network must beat on a data set: the best constant class, and logistic regression on a pixel's colour.

    python benchmarks/baselines.py DATASET DATA_ROOT [--pixels 200000]

Both are fitted to the training split and judged on the validation split, void left out.
"""

import argparse

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from segnet_hpu.data.datasets import find, open_dataset
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix


def sampled_pixels(source, count, rng):
    """Return (colours float (N, 3), labels (N,)) of as many pixels from every image, void left out."""
    colours, labels = [], []
    for i in range(len(source)):
        image, label = source[i]
        chosen = rng.choice(np.flatnonzero(label.ravel() != 255), count // len(source))
        colours.append(image.reshape(-1, 3)[chosen])
        labels.append(label.ravel()[chosen])
    return np.concatenate(colours).astype(float), np.concatenate(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset")
    parser.add_argument("data_root")
    parser.add_argument("--pixels", type=int, default=200_000)
    flags = parser.parse_args()
    n_classes = find(flags.dataset).n_classes
    train, val = (open_dataset(flags.dataset, flags.data_root, split) for split in ("train", "val"))
    colours, labels = sampled_pixels(train, flags.pixels, np.random.default_rng(0))
    scaler = StandardScaler().fit(colours)
    model = LogisticRegression(max_iter=500).fit(scaler.transform(colours), labels)
    names = ("majority class", "logistic regression")
    matrices = [ConfusionMatrix(n_classes) for _ in names]
    majority = np.bincount(labels, minlength=n_classes).argmax()
    for i in range(len(val)):
        image, label = val[i]
        matrices[0].update(label, np.full(label.shape, majority))
        guess = model.predict(scaler.transform(image.reshape(-1, 3).astype(float))).reshape(label.shape)
        matrices[1].update(label, guess)
    for name, matrix in zip(names, matrices, strict=True):
        scores = matrix.scores()
        dice = scores["per_class"][1]["dice"] if n_classes == 2 else None
        print(f"{name}: mean IoU {scores['mean_iou']:.4f}, pixel accuracy {scores['pixel_accuracy']:.4f}"
              + (f", F1 of class 1 {dice:.4f}" if n_classes == 2 else ""))


if __name__ == "__main__":
    main()
