"""Our loader against keras_segmentation's, taking turns in one run, on the same PNG files.

usage: python benchmarks/loader.py --reference_python DIR/bin/python [--data FOLDER] [--rounds 5]
DIR is made by setup_keras_segmentation.sh. Cold: files decoded anew. Warm: decoded samples in memory.
The reference has no cache. Each speed is the best of the rounds: other work on the machine can only slow
one down. Prints one JSON object.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from segnet_hpu.data.loader import Loader  # noqa: E402
from segnet_hpu.data.preprocessing import TrainTransform  # noqa: E402
from segnet_hpu.data.sampling import Stream  # noqa: E402
from segnet_hpu.data.source import FolderSource  # noqa: E402

SIZE, LABEL_SIZE, BATCH = (320, 640), (160, 320), 4


class Reference:
    """keras_segmentation's loader in a process of its own."""

    def __init__(self, python, images, labels):
        command = [python, HERE / "keras_segmentation_loader.py", images, labels, *SIZE, BATCH]
        self.process = subprocess.Popen(list(map(str, command)), text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._answer()

    def ask(self, batches):
        """Return the seconds that it takes for so many."""
        print(batches, file=self.process.stdin, flush=True)
        return float(self._answer())

    def _answer(self):
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.process.args[0]} ended; was it made by setup_keras_segmentation.sh?")
        return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reference_python", required=True)
    parser.add_argument("--data", default=os.path.join(os.environ.get("SEGNET_TEST_DATA", "."), "camvid"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    images, labels = os.path.join(args.data, "train"), os.path.join(args.data, "trainannot")
    source = FolderSource(images, labels)
    reference = Reference(args.reference_python, images, labels)
    steps = len(source) // BATCH
    speeds = {"reference": [], "cold": [], "warm": []}
    for _ in range(args.rounds):
        loader = Loader(source, Stream(len(source), BATCH), TrainTransform(SIZE, LABEL_SIZE),
                        threads=args.threads)
        for name, seconds in (("cold", ours(loader, 0, steps)),
                              ("reference", reference.ask(steps // 3) * 3),
                              ("warm", ours(loader, 0, steps))):
            speeds[name].append(steps * BATCH / seconds)
    best = {name: max(values) for name, values in speeds.items()}
    print(json.dumps({
        "pairs": len(source), "threads": args.threads, "cores": os.cpu_count(),
        "images_per_second": {name: round(value, 1) for name, value in best.items()},
        "cold_ratio": round(best["cold"] / best["reference"], 2),
        "warm_ratio": round(best["warm"] / best["reference"], 2)}, indent=1))


def ours(loader, start, stop):
    """Seconds for the batches of these steps."""
    begin = time.perf_counter()
    for _ in loader.iterate(start, stop):
        pass
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
