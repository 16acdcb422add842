"""Whether batches fit the data and the memory, before anything of their size is made."""

import math
from collections.abc import Sized

import keras

from segnet_hpu.data.cache import GIB, available_memory
from segnet_hpu.data.loader import AHEAD
from segnet_hpu.errors import UsageError, warn
from segnet_hpu.runtime.ranks import Ranks
from segnet_hpu.training.settings import Settings


def check_batch_sizes(settings: Settings, network: keras.Model, on_host: bool, ranks: Ranks, batch_size: int,
                      training: Sized, validation: Sized | None) -> None:
    """Raise UsageError for batches that memory cannot hold; warn of training batches larger than the data set.

    on_host: whether the network is computed in this machine's memory. batch_size: of all ranks together. Counted is
    what is surely needed: the batches that are made ahead, and the largest of all layers' outputs.
    """
    decoded = (AHEAD + 1) * (math.prod(network.input_shape[1:]) + math.prod(network.output_shape[1:3]))
    each = (decoded + (4 * _largest_output(network) if on_host else 0)) * ranks.local_size
    free, pictures = available_memory(), len(training)
    of_validation = min(settings.val_batch_size, len(validation)) if validation else 0
    for name, size, used in (("batch_size", settings.batch_size, settings.batch_size),
                             ("val_batch_size", settings.val_batch_size, of_validation)):
        needed = used * each
        if needed > free:
            fits = max(1, free // each)
            raise UsageError(f"--{name} is {size}: such a step needs at least {needed / GIB:,.1f} GiB, and "
                             f"{free / GIB:,.1f} GiB of memory are free; expected at most {fits}, rather much less")
    if batch_size > pictures and ranks.leads:
        warn(f"a step of {batch_size} pictures takes some of the {pictures} training pictures more than once; "
             f"--batch_size of at most {pictures}, all workers together, takes each once an epoch")


def _largest_output(network: keras.Model) -> int:
    """Return the number of values in the largest output of a layer for one picture."""
    shapes = [tensor.shape[1:] for layer in network.layers for tensor in keras.tree.flatten(layer.output)]
    return max(math.prod(shape) for shape in shapes if None not in shape)
