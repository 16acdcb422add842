"""Sliding window against one whole pass of the same network over a large picture: agreement, time and memory.

    python benchmarks/tiles.py CHECKPOINT PICTURES [--height 3000 --width 4000 --overlap 0.5 --margin 64]

The picture is a mosaic of those in the folder PICTURES, its sides rounded up to multiples of 32. The whole pass is
the network rebuilt at that size with the same weights. Windows have the network's own size. Pixels within the
margin of the picture's border are left out of the agreement.
"""

import argparse
import dataclasses
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem  # noqa: E402
from segnet_hpu.data.images import read_image  # noqa: E402
from segnet_hpu.inference.predictor import Predictor  # noqa: E402
from segnet_hpu.inference.tiled import TiledPredictor  # noqa: E402
from segnet_hpu.interchange.load import load  # noqa: E402
from segnet_hpu.models.resizing import resized_model  # noqa: E402
from segnet_hpu.runtime.device import select_device  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("pictures")
    parser.add_argument("--height", type=int, default=3000)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--overlap", type=float, nargs="+", default=[0.5])
    parser.add_argument("--margin", type=int, default=64)
    args = parser.parse_args()
    args.height, args.width = (-side % 32 + side for side in (args.height, args.width))
    select_device("auto")
    trained = load(args.checkpoint)
    model = trained.network
    picture = mosaic(args.pictures, args.height, args.width)
    Predictor(trained).predict([picture])
    print(f"{model.name}, window {model.input_shape[1]}x{model.input_shape[2]}, {model.output_shape[3]} classes, "
          f"picture {args.height}x{args.width}; {peak()} before")
    tiled = {overlap: timed(f"overlap {overlap}", TiledPredictor(Predictor(trained), overlap), picture)
             for overlap in args.overlap}
    larger = dataclasses.replace(trained, network=resized_model(trained.network, (args.height, args.width)))
    whole = timed("whole", Predictor(larger), picture)
    inside = np.s_[args.margin:-args.margin, args.margin:-args.margin]
    print(f"classes in the whole pass: {len(np.unique(whole))}, "
          f"the most frequent has {np.bincount(whole.ravel()).max() / whole.size:.1%}")
    for overlap, classes in tiled.items():
        print(f"agreement, overlap {overlap}: {(classes == whole)[inside].mean():.3%} inside, "
              f"{(classes == whole).mean():.3%} in all")


def mosaic(folder, height, width):
    rows, paths = [], sorted(p for paths in files_by_stem(folder, IMAGE_FORMATS).values() for p in paths)
    while sum(len(row) for row in rows) < height:
        row = []
        while sum(image.shape[1] for image in row) < width:
            image = read_image(paths[(7 * len(rows) + len(row)) % len(paths)])
            row.append(image)
        rows.append(np.hstack(row)[:, :width])
    return np.ascontiguousarray(np.vstack(rows)[:height])


def timed(name, predictor, picture):
    began = time.perf_counter()
    classes, = predictor.predict([picture])
    print(f"{name}: {time.perf_counter() - began:.1f} s, {peak()}", flush=True)
    return classes


def peak():
    """The most memory that the process has had until now."""
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB at most"


if __name__ == "__main__":
    main()
