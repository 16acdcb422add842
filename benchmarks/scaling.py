"""Weak scaling on the CPU: the same step on N ranks, and in N processes that know nothing of each other.

    python benchmarks/scaling.py [--backend torch] [--ranks 2] [--data_type bf16 fp32] [--steps 6] [--rounds 2]
        [--launcher mpirun] [--compress]

The ranks are Horovod's on TensorFlow, those of torch.distributed over Gloo on torch.

Every process has one core to itself. The processes on their own are the machine's ceiling; both kinds are started
in turn, and the medians compared.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

from segnet_hpu.runtime.devices.cpu import YIELD, cycle_time

HERE = Path(__file__).resolve()


def worker(flags):
    """One process: prints its steps' seconds, and which share of them averaging took, as JSON into OUT/RANK."""
    from segnet_hpu.runtime.ranks import join
    from segnet_hpu.runtime.worker import pin, place

    found = place()
    number = found.rank if found else flags.number
    pin(number, flags.ranks)
    ranks = join(SimpleNamespace(distributed=False, kubernetes_run=False, num_workers=None, min_workers=None,
                                 fault_timeout=300))
    import numpy as np

    from segnet_hpu.models.build import build_model
    from segnet_hpu.objectives.accuracy import count_pixels
    from segnet_hpu.objectives.losses import make_loss
    from segnet_hpu.objectives.optimizers import make_optimizer
    from segnet_hpu.runtime.device import select_device
    from segnet_hpu.runtime.precision import set_precision
    from segnet_hpu.training.step import make_train_step

    set_precision(flags.data_type[0], select_device("cpu", threads=1))
    model = build_model("vgg_segnet", 12, flags.height, flags.width)
    model.compile(make_optimizer("adam", 1e-4), make_loss("ce"), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    ranks.sum(np.zeros(1))  # they meet before time is taken
    ranks.average_gradients(model.optimizer, flags.compress)
    train_step = make_train_step(model, model.loss, count_pixels)
    rng = np.random.default_rng(number)
    images = rng.integers(0, 256, (flags.batch, flags.height, flags.width, 3), np.uint8)
    labels = rng.integers(0, 12, (flags.batch, *model.output_shape[1:3]), np.uint8)
    seconds = []

    def loop():
        for step in range(flags.steps + 2):
            began = time.perf_counter()
            train_step(images, labels)
            seconds.append(time.perf_counter() - began)
            if step == 1:
                ranks.waited()

    ranks.drive(SimpleNamespace(loop=loop))
    waited = ranks.waited() or 0.0
    Path(flags.out, str(number)).write_text(json.dumps([seconds[2:], waited / sum(seconds[2:])]))


def measured(flags, data_type, together):
    """Return ([seconds of every step of every process], share of averaging)."""
    with tempfile.TemporaryDirectory() as out:
        command = [str(HERE), "--out", out, "--data_type", data_type]
        for name in ("ranks", "steps", "height", "width", "batch"):
            command += [f"--{name}", str(getattr(flags, name))]
        cycle = cycle_time(flags.batch * flags.height * flags.width)
        environment = {"HOROVOD_CYCLE_TIME": str(cycle), **YIELD, **os.environ, "KERAS_BACKEND": flags.backend,
                       "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
        command += ["--compress"] * flags.compress
        started = [[*launcher(flags), *command]] if together else \
            [[sys.executable, *command, "--number", str(n)] for n in range(flags.ranks)]
        processes = [subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                     for words in started]
        for process in processes:
            _, errors = process.communicate()
            if process.returncode:
                sys.exit(errors.decode(errors="replace"))
        results = [json.loads(path.read_text()) for path in Path(out).iterdir()]
    return [second for seconds, _ in results for second in seconds], max(share for _, share in results)


def launcher(flags):
    """The words that start a program on every rank."""
    if flags.launcher == "mpirun":
        return ["mpirun", "--allow-run-as-root", "--bind-to", "none", "--oversubscribe", "-np", str(flags.ranks),
                sys.executable]
    if flags.backend == "torch":
        return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(flags.ranks)]
    return [str(Path(sys.executable).with_name("horovodrun")), "--gloo", "-np", str(flags.ranks), sys.executable]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("ranks", 2), ("steps", 6), ("rounds", 2), ("height", 320), ("width", 640), ("batch", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--data_type", nargs="+", default=["bf16", "fp32"])
    parser.add_argument("--backend", choices=("tensorflow", "torch"), default="tensorflow")
    parser.add_argument("--launcher", choices=("auto", "horovodrun", "mpirun"), default="auto",
                        help="auto: horovodrun, or torchrun on torch")
    parser.add_argument("--compress", action="store_true", help="send gradients as fp16")
    parser.add_argument("--out", help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.out:
        worker(flags)
        return
    for data_type in flags.data_type:
        alone, together, shares = [], [], []
        for _ in range(flags.rounds):
            alone += measured(flags, data_type, False)[0]
            seconds, share = measured(flags, data_type, True)
            together += seconds
            shares.append(share)
        ceiling, step = statistics.median(alone), statistics.median(together)
        print(f"{flags.backend}, {data_type}, {flags.ranks} ranks: {step:.3f} s a step; side by side without "
              f"averaging {ceiling:.3f} s: {ceiling / step:.1%} of the ceiling. {statistics.mean(shares):.1%} of the "
              "time in averaging, waiting for the slower rank included", flush=True)


if __name__ == "__main__":
    main()
