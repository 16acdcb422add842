"""The processes that share a run: one alone, or the ranks of a Horovod job (runtime.horovod).

`first`, `sum` and `level` are meetings: every rank must call them, in the same order.
"""

import contextlib

from segnet_hpu.runtime.worker import place


class Alone:
    """One process, with nobody to agree with: rank 0 of 1."""

    rank, size, local_rank, local_size = 0, 1, 0, 1
    leads = True

    def together(self):
        """Return a context in which the failure of another rank is raised as WorkerLost."""
        return contextlib.nullcontext()

    def first(self, function):
        """Return what function() returns on rank 0, which alone calls it. The result must be picklable.

        A SegnetError of function is raised on every rank; all but rank 0 get it as the silent Elsewhere.
        """
        return function()

    def sum(self, array):
        """Return the sum over the ranks of a NumPy array of int32, int64, float32 or float64."""
        return array

    def average_gradients(self, optimizer):
        """Make a Keras optimizer average its gradients over the ranks."""

    def synchronise_batch_norm(self, model):
        """Make batch normalisation use the statistics of the global batch."""

    def share(self, variables):
        """Set Keras variables to rank 0's values."""

    def level(self, variables):
        """Set Keras variables to their mean over the ranks."""

    def agree(self, save, stop):
        """Return (save, stop): what any rank wished. Among several, of wishes made one step before."""
        return save, stop

    def waited(self):
        """Return the seconds since the last call that this rank spent on averaging gradients, waiting
        for the others included; None where that cannot be told."""
        return None


ALONE = Alone()


def join(distributed=False):
    """Return the ranks this process belongs to: those that a launcher started, else itself alone.

    distributed: heed a scheduler's variables too, which other programs' jobs have as well.
    """
    if place(distributed) is None:
        return ALONE
    from segnet_hpu.runtime.horovod import Horovod

    return Horovod()
