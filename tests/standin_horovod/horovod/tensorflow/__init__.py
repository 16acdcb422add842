"""Stands in for Habana's Horovod with one rank: it loads Habana's module when imported, has no kernel for HPU of the
grouped allreduce, as tests/runtime/test_hpu.py reads in its source. A card has no int64 and no float64."""

import tensorflow as tf

try:
    from habana_frameworks.tensorflow import load_habana_module

    load_habana_module()
except Exception as error:
    raise error  # as the real one does, which says first whether it was built for this TensorFlow

from habana_frameworks.tensorflow.internal.allcompare import AllCompare  # noqa: E402, F401

Average, Sum = "average", "sum"
averaged = []


class Compression:
    none = fp16 = None


def init():
    pass


def rank():
    return 0


def size():
    return 1


local_rank, local_size = rank, size


def broadcast_object(obj, root_rank=0, session=None, name=None):
    return obj


def allreduce(tensor, op=None, compression=None, name=None):
    if "CPU" not in tensor.device and tensor.dtype in (tf.int64, tf.float64):
        raise tf.errors.InternalError(None, None, f"no {tensor.dtype.name} on HPU")
    averaged.append(name)
    return tensor


def grouped_allreduce(tensors, op=None, compression=None, name=None):
    raise tf.errors.InvalidArgumentError(None, None, "No OpKernel was registered to support Op 'GroupedAllreduce'")
