"""Seconds from the command to one labelled picture, beside `import tensorflow` alone, in turn.

    python benchmarks/one_image.py [--model vgg_segnet --height 320 --width 640 --rounds 5]

Every figure is of a new process; the first round, which fills the file cache, is not counted. CPU time, of all
threads, is the steadier figure where other work shares the machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="vgg_segnet")
    parser.add_argument("--height", type=int, default=320)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), args)
        commands = {
            "import tensorflow": ["-c", "import tensorflow"],
            "predict": ["-m", "segnet_hpu", "predict", "--checkpoints_path", "model.keras", "--input_path", "in.png",
                        "--output_path", "out.png", "--overlay"],
        }
        seconds, cpu = {name: [] for name in commands}, {name: [] for name in commands}
        for counted in range(args.rounds + 1):
            for name, command in commands.items():
                began, used = time.perf_counter(), children()
                subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)})
                if counted:
                    seconds[name].append(time.perf_counter() - began)
                    cpu[name].append(children() - used)
    for title, times in (("seconds", seconds), ("CPU seconds", cpu)):
        times["beyond the import"] = [p - i for i, p in zip(*times.values(), strict=True)]
        print(title)
        for name, found in times.items():
            print(f"  {name:<18} {statistics.median(found):6.2f}  ({', '.join(f'{s:.2f}' for s in found)})")


def children():
    """CPU seconds of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def make(folder, args):
    """A picture of noise, 640x360, and a model of fresh weights."""
    script = ("import cv2, numpy as np; from segnet_hpu.models.build import build_model; "
              "from segnet_hpu.models.trained_model import TrainedModel; "
              f"TrainedModel(build_model({args.model!r}, 12, {args.height}, {args.width})).save('model.keras'); "
              "cv2.imwrite('in.png', np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8))")
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, capture_output=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT)})


if __name__ == "__main__":
    main()
