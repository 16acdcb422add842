"""How fast Horovod averages vgg_segnet's gradients, without any training: what the step time model needs.

    horovodrun --gloo -np 2 python benchmarks/allreduce.py [--megabytes 46.2 --rounds 20]
    mpirun --allow-run-as-root --bind-to none -np 2 python benchmarks/allreduce.py

Prints on rank 0 the median seconds for all gradients and for one number, and the bytes a second that each rank sends.
"""

import argparse
import statistics
import time

import horovod.tensorflow as hvd
import tensorflow as tf


def seconds(tensor, name, rounds):
    taken = []
    for _ in range(rounds + 3):
        hvd.allreduce(tf.zeros(1), name="start")  # all ranks begin together
        began = time.perf_counter()
        hvd.allreduce(tensor, name=name, op=hvd.Sum)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken[3:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=46.2)
    parser.add_argument("--rounds", type=int, default=20)
    flags = parser.parse_args()
    hvd.init()
    size = int(flags.megabytes * 1e6)
    whole, one = seconds(tf.zeros(size // 4), "whole", flags.rounds), seconds(tf.zeros(1), "one", flags.rounds)
    sent = 2 * (hvd.size() - 1) / hvd.size() * size
    if hvd.rank() == 0:
        print(f"{hvd.size()} ranks: {whole * 1e3:.1f} ms for {size / 1e6:g} MB, {one * 1e3:.2f} ms for one number: "
              f"{sent / (whole - one) / 1e9:.2f} GB/s", flush=True)


if __name__ == "__main__":
    main()
