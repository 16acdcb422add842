"""How quick our pooling and unpooling are against TensorFlow's argmax and scatter: forward and backward.

    python benchmarks/unpooling.py [--steps 20]

Both take turns in one process, on the CPU or GPU that TensorFlow chooses, on maps of SegNet at 320x640.
"""

import argparse
import math
import statistics
import time

import tensorflow as tf
from keras import ops

from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling
from segnet_hpu.runtime.device import select_device

SHAPES = ((2, 160, 320, 64), (2, 80, 160, 128), (2, 40, 80, 256), (2, 45, 75, 256))


def ours(x):
    """Return what is left of a map after pooling and unpooling."""
    pooled, mask = MaxPoolingWithMask(dtype=x.dtype.name)(x)
    return Unpooling(dtype=x.dtype.name)([ops.multiply(pooled, 2), mask])


def theirs(x):
    pooled, index = tf.nn.max_pool_with_argmax(x, 2, 2, "SAME", include_batch_in_index=True)
    flat = tf.scatter_nd(tf.reshape(index, (-1, 1)), tf.reshape(pooled * 2, (-1,)), [math.prod(x.shape)])
    return tf.reshape(flat, x.shape)


def step(function):
    """Return a graph of (map, gradient of the result) -> (result, gradient of the map)."""
    @tf.function
    def run(x, upstream):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = function(x)
        return result, tape.gradient(result, x, upstream)

    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    print(select_device("auto").description)
    for shape in SHAPES:
        for dtype in ("float32", "bfloat16"):
            x = tf.cast(tf.nn.relu(tf.random.stateless_normal(shape, (0, 0))), dtype)
            upstream = tf.cast(tf.random.stateless_normal(shape, (0, 1)), dtype)
            graphs = {name: step(function) for name, function in (("ours", ours), ("theirs", theirs))}
            results = {name: graph(x, upstream) for name, graph in graphs.items()}
            same = all(bool(tf.reduce_all(a == b)) for a, b in zip(*results.values(), strict=True))
            seconds = {name: [] for name in graphs}
            for _ in range(steps):
                for name, graph in graphs.items():
                    began = time.perf_counter()
                    graph(x, upstream)[1].numpy()
                    seconds[name].append(time.perf_counter() - began)
            mine, other = (statistics.median(seconds[name]) * 1e3 for name in ("ours", "theirs"))
            print(f"{shape} {dtype}: ours {mine:.1f} ms, argmax and scatter {other:.1f} ms, "
                  f"{other / mine:.1f} times as quick, {'equal' if same else 'DIFFERENT'} results", flush=True)


if __name__ == "__main__":
    main()
