"""A training step of vgg_segnet on the CPU, in seconds, on several backends that take steps in turn.

    python benchmarks/backends.py tensorflow torch torch_by_keras pytorch [--python tensorflow=.venv/bin/python ...]
        [--data_type fp32] [--height 320 --width 640 --batch 2 --rounds 8]

torch_by_keras: Keras' layers as Keras 3.15 has them, with copies of every map. pytorch: the same graph as a plain
torch.nn.Module in channels_last memory. --python: the Python that has a backend; this one where none is named.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from gpu_step import batches, ours, pytorch


def use_layers_of_keras():
    """Undo what models/layers/on_torch.py does."""
    import keras

    from segnet_hpu.models.layers import on_torch
    from segnet_hpu.runtime.keras_internals import torch

    keras.layers.Conv2D.call, keras.layers.BatchNormalization.call = on_torch._convolve, on_torch._normalise
    torch.nn._transpose_spatial_inputs = lambda maps: torch.channels_first(maps).contiguous()


def work(flags):
    """Take a step for each line of standard input, and print its seconds."""
    flags.compile, kind = False, flags.kinds[0]
    flags.kind = kind.split("_")[0]
    step = (pytorch if kind == "pytorch" else ours)(flags)[0]
    if kind == "torch_by_keras":
        use_layers_of_keras()
    for _, batch in zip(sys.stdin, batches(flags), strict=False):
        began = time.perf_counter()
        step(*batch)
        print("seconds", time.perf_counter() - began, flush=True)


def worker(kind, pythons):
    """Start a process that takes steps on one of the backends."""
    backend = "torch" if "torch" in kind else kind
    command = [pythons.get(backend, sys.executable), *sys.argv, "--worker", kind]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            text=True, env={**os.environ, "KERAS_BACKEND": backend})


def seconds(process):
    """Let a worker take a step, and return how long it took."""
    process.stdin.write("\n")
    process.stdin.flush()
    return float(next(line for line in process.stdout if line.startswith("seconds")).split()[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="+")
    parser.add_argument("--python", nargs="+", default=[], metavar="BACKEND=PYTHON")
    parser.add_argument("--data_type", choices=("fp32", "bf16"), default="fp32")
    for name, default in (("height", 320), ("width", 640), ("batch", 2), ("rounds", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--worker", metavar="KIND", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.worker:
        flags.kinds = [flags.worker]
        return work(flags)
    workers = {kind: worker(kind, dict(text.split("=", 1) for text in flags.python)) for kind in flags.kinds}
    for process in workers.values():
        seconds(process)  # which also traces
    taken = {kind: [] for kind in workers}
    for _ in range(flags.rounds):
        for kind, process in workers.items():
            taken[kind].append(seconds(process))
    for process in workers.values():
        process.stdin.close()
    first = taken[flags.kinds[0]]
    for kind, values in taken.items():
        relative = statistics.median(one / other for one, other in zip(values, first, strict=True))
        print(f"{kind}: {statistics.median(values):.3f} s a step, least {min(values):.3f}; {relative:.2f} times "
              f"{flags.kinds[0]}'s")


if __name__ == "__main__":
    main()
