"""Horovod under Keras 3, whose optimizers Horovod's own wrapper does not reach."""

import contextlib
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from segnet_hpu.errors import SegnetError, UsageError, WorkerLost
from segnet_hpu.runtime.backends import current
from segnet_hpu.runtime.devices import computing, prepare_horovod
from segnet_hpu.runtime.keras_internals import batch_normalisations, replace_moments, transform_gradients
from segnet_hpu.runtime.ranks.connected import Connected

if TYPE_CHECKING:
    import tensorflow as tf


def is_horovods(error: Exception) -> bool:
    """Return whether an exception of TensorFlow or Horovod tells of a rank that is gone."""
    return "Horovod" in str(error) or "Horovod" in type(error).__name__


class Horovod(Connected):
    """The ranks that Horovod connects. workers: how many the launcher started, None where that may change.

    Raises UsageError where Horovod is not installed, was built for another TensorFlow, or does not connect all
    workers.
    """

    xla = False  # XLA knows nothing of Horovod's operations

    def __init__(self, workers: int | None = None) -> None:
        prepare_horovod()
        try:
            import horovod.tensorflow as hvd
        except Exception as error:  # Habana's raises plain Exception where libraries are missing
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise UsageError(f"Horovod cannot be imported ({reason}); expected it for several workers. "
                             "Run run_scripts/install_horovod.sh") from error
        hvd.init()
        self.hvd = hvd
        self.take_place()
        if workers and self.size != workers:
            raise UsageError(f"Horovod connects {self.size} of {workers} workers; expected all. It was built without "
                             "what started them (MPI, say): run run_scripts/install_horovod.sh")
        self.planned = self.size

    def take_place(self) -> None:
        """Ask Horovod which rank this is."""
        self.rank, self.size = self.hvd.rank(), self.hvd.size()
        self.local_rank, self.local_size = self.hvd.local_rank(), self.hvd.local_size()
        self.leads = self.rank == 0

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        try:
            yield
        except SegnetError:
            raise
        except Exception as error:
            if not is_horovods(error):
                raise
            # TensorFlow puts the names of nodes before the words.
            words = next((line for line in reversed(str(error).splitlines()) if "Horovod" in line), "it is gone")
            raise WorkerLost(f"{words.split('}} ')[-1].strip()}; what was saved is whole, go on with "
                             "--auto_resume_checkpoint") from error

    def broadcast(self, value: Any) -> Any:
        return self.hvd.broadcast_object(value, name="first")

    def sum(self, array: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        with tf.device("CPU:0"):  # not by way of a card, which may have no float64
            return self.hvd.allreduce(tf.constant(array), op=self.hvd.Sum, name="sum").numpy()

    def average_gradients(self, optimizer: keras.Optimizer, compress: bool = False) -> None:
        """See Ranks. Once an update: after gradient accumulation, before clipping.

        Under loss scaling before the check for overflow, so that all ranks come to the same verdict.
        """
        import tensorflow as tf

        self._compression = self.hvd.Compression.fp16 if compress else self.hvd.Compression.none
        self._wish, self._agreed = (tf.Variable([0.0, 0.0], trainable=False) for _ in range(2))
        self._waited = tf.Variable(0.0, trainable=False, dtype="float64")
        transform_gradients(optimizer, self._average)

    def _average(self, grads: "list[tf.Tensor]") -> "list[tf.Tensor]":
        import tensorflow as tf

        with tf.control_dependencies(grads):
            began = tf.timestamp()
        # The wishes travel with the gradients, because a message of their own would cost a round.
        with tf.control_dependencies([began]):
            *averaged, agreed = self._allreduce([*grads, self._wish.read_value()])
        with tf.control_dependencies(averaged):
            self._waited.assign_add(tf.timestamp() - began)
        self._agreed.assign(agreed)
        return averaged

    def _allreduce(self, tensors: "list[tf.Tensor]") -> "list[tf.Tensor]":
        """The tensors' means over the ranks."""
        wanted = {"op": self.hvd.Average, "compression": self._compression}
        if computing(current()).grouped_allreduce:
            return self.hvd.grouped_allreduce(tensors, name="gradients", **wanted)
        return [self.hvd.allreduce(tensor, name=f"gradients.{i}", **wanted) for i, tensor in enumerate(tensors)]

    def agree(self, save: bool, stop: bool) -> tuple[bool, bool]:
        agreed = self._agreed.numpy() > 0
        # What has been agreed on is done now: no need to wish for it again.
        self._wish.assign([0.0, 0.0] if agreed.any() else [float(save), float(stop)])
        self._agreed.assign([0.0, 0.0])
        return bool(agreed[0]), bool(agreed[1])

    def waited(self) -> float | None:
        seconds = float(self._waited.numpy())
        self._waited.assign(0.0)
        return seconds

    def synchronise_batch_norm(self, model: keras.Model) -> None:
        for layer in batch_normalisations(model):
            replace_moments(layer, functools.partial(self._moments, layer))

    def _moments(self, layer: keras.layers.BatchNormalization, inputs: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
        """Mean and variance over all ranks' inputs, of which each has as many."""
        import tensorflow as tf

        @tf.custom_gradient
        def together(mean: "tf.Tensor", variance: "tf.Tensor") -> Any:
            # One message for both; gathered, because a difference of summed squares would lose digits.
            every = self.hvd.allgather(tf.stack([mean, variance])[None], name=f"{layer.name}_moments")
            middle = tf.reduce_mean(every[:, 0], 0)
            apart = mean - middle

            def gradient(by_mean: "tf.Tensor", by_variance: "tf.Tensor") -> "tuple[tf.Tensor, tf.Tensor]":
                # Horovod's own gradient of allgather is too small by the number of ranks.
                by_mean, by_variance = tf.unstack(self.hvd.allreduce(
                    tf.stack([by_mean, by_variance]), op=self.hvd.Average, name=f"{layer.name}_gradients"))
                return by_mean + 2 * apart * by_variance, by_variance

            return (middle, tf.reduce_mean(every[:, 1] + (every[:, 0] - middle)**2, 0)), gradient

        axes = [axis for axis in range(len(inputs.shape)) if axis != layer.axis % len(inputs.shape)]
        return together(*tf.nn.moments(inputs, axes))
