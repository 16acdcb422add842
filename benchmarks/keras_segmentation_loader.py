"""keras_segmentation's loader, run by loader.py in its own environment.

usage: keras_segmentation_loader.py IMAGES LABELS HEIGHT WIDTH BATCH
Reads numbers, one a line, from stdin: for N it draws N batches and prints the seconds.
"""

import sys
import time

from keras_segmentation.data_utils import data_loader

images, labels = sys.argv[1:3]
height, width, batch = map(int, sys.argv[3:])
half, n_classes = (height // 2, width // 2), 12
batches = data_loader.image_segmentation_generator(images, labels, batch, n_classes, height, width, *half)
next(batches)
print("ready", flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for _ in range(int(line)):
        next(batches)
    print(time.perf_counter() - start, flush=True)
