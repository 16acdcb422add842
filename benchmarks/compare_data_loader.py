"""Compares our data_loader with keras_segmentation's, in one process; prints what is equal, as JSON.

usage: PYTHONPATH=. DIR/bin/python benchmarks/compare_data_loader.py IMAGES LABELS N_CLASSES
DIR is made by setup_keras_segmentation.sh. Our package's part needs only NumPy and OpenCV there.
"""

import json
import random
import sys

import imgaug.augmenters as iaa
import numpy as np
from keras_segmentation import metrics as their_metrics
from keras_segmentation.data_utils import data_loader as theirs

from segnet_hpu import metrics
from segnet_hpu.data_utils import data_loader as ours

SIZE = {"width": 45, "height": 33}


def main():
    images, labels, n_classes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    pairs = theirs.get_pairs_from_paths(images, labels)
    equal = {"get_pairs_from_paths": pairs == ours.get_pairs_from_paths(images, labels),
             "class_colors": theirs.class_colors == ours.class_colors}
    for norm in ("sub_mean", "sub_and_divide", "divide"):
        for order in ("channels_first", "channels_last"):
            equal[f"get_image_array {norm} {order}"] = all(
                same(*(side.get_image_array(image, imgNorm=norm, ordering=order, **SIZE) for side in (ours, theirs)))
                for image, _ in pairs)
    for flat in (False, True):
        equal[f"get_segmentation_array no_reshape={flat}"] = all(
            same(*(side.get_segmentation_array(label, n_classes, no_reshape=flat, **SIZE) for side in (ours, theirs)))
            for _, label in pairs)
    drawn = [batches(side, images, labels, n_classes) for side in (ours, theirs)]
    equal["image_segmentation_generator"] = all(
        same(a, b) for pair in zip(*drawn, strict=True) for a, b in zip(*pair, strict=True))
    rng = np.random.default_rng(0)
    maps = rng.integers(0, n_classes, (2, 40, 50))
    equal["get_iou"] = bool(np.allclose(metrics.get_iou(*maps, n_classes + 1),
                                        their_metrics.get_iou(*maps, n_classes + 1)))
    equal["custom_augmentation by imgaug"] = flipped(images, labels, n_classes)
    print(json.dumps(equal))


def same(a, b):
    return a.dtype == b.dtype and np.array_equal(a, b)


def batches(side, images, labels, n_classes, **options):
    """As many batches as go twice through the data."""
    random.seed(3)
    generator = side.image_segmentation_generator(images, labels, 2, n_classes, 32, 48, 16, 24, **options)
    return [next(generator) for _ in range(len(side.get_pairs_from_paths(images, labels)))]


def flipped(images, labels, n_classes):
    """Whether an augmenter that always flips turns images and labels round."""
    changed = batches(ours, images, labels, n_classes, do_augment=True, custom_augmentation=lambda: iaa.Fliplr(1.0))
    return all(np.allclose(x[:, :, ::-1], plain_x, atol=1) and
               np.mean(y.reshape(-1, 16, 24, n_classes)[:, :, ::-1] == plain_y.reshape(-1, 16, 24, n_classes)) > 0.9
               for (x, y), (plain_x, plain_y) in zip(changed, batches(ours, images, labels, n_classes), strict=True))


if __name__ == "__main__":
    main()
