"""keras_segmentation's loader, run by loader.py in its own environment.

usage: keras_segmentation_loader.py IMAGES LABELS HEIGHT WIDTH BATCH
Reads lines from stdin: `run N` draws N batches and prints the seconds; `labels FILE` writes the label
maps of all pairs, in the order of their names, as uint8 (n, h, w) in .npy.
"""

import sys
import time

import numpy as np
from keras_segmentation.data_utils import data_loader

images, labels = sys.argv[1:3]
height, width, batch = map(int, sys.argv[3:])
half, n_classes = (height // 2, width // 2), 12
batches = data_loader.image_segmentation_generator(images, labels, batch, n_classes, height, width, *half)
next(batches)
print("ready", flush=True)
for line in sys.stdin:
    command, argument = line.split(maxsplit=1)
    if command == "run":
        start = time.perf_counter()
        for _ in range(int(argument)):
            next(batches)
        print(time.perf_counter() - start, flush=True)
    else:
        pairs = sorted(data_loader.get_pairs_from_paths(images, labels))
        maps = [data_loader.get_segmentation_array(label, n_classes, half[1], half[0], no_reshape=True)
                for _, label in pairs]
        np.save(argument.strip(), np.argmax(maps, axis=-1).astype(np.uint8))
        print("saved", flush=True)
