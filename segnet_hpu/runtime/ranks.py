"""The processes that share a run: one alone, or the ranks of a Horovod job (runtime.horovod).

`first`, `sum` and `level` are meetings: every rank must call them, in the same order.
"""

import contextlib
import os

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.worker import place


class Alone:
    """One process, with nobody to agree with: rank 0 of 1.

    planned: the number of ranks that make up a global batch.
    """

    rank, size, local_rank, local_size = 0, 1, 0, 1
    leads, elastic = True, False
    planned = 1

    def together(self):
        """Return a context in which the failure of another rank is raised as WorkerLost."""
        return contextlib.nullcontext()

    def drive(self, run):
        """Call run.loop(), again whenever the ranks have changed, until it comes to its end."""
        run.loop()

    def commit(self):
        """Where ranks may change, remember the state that is now, and see whether they have."""

    def first(self, function):
        """Return what function() returns on rank 0, which alone calls it. The result must be picklable.

        A SegnetError of function is raised on every rank; all but rank 0 get it as the silent Elsewhere.
        """
        return function()

    def sum(self, array):
        """Return the sum over the ranks of a NumPy array of int32, int64, float32 or float64."""
        return array

    def average_gradients(self, optimizer, compress=False):
        """Make a Keras optimizer average its gradients over the ranks. compress: send them as fp16."""

    def synchronise_batch_norm(self, model):
        """Make batch normalisation use the statistics of the global batch."""

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


def join(settings):
    """Return the ranks this process belongs to: those that a launcher started, else itself alone.

    settings: with `distributed`, a scheduler's variables count too, which other programs' jobs have as well.
    Raises UsageError where other workers were promised and none can be told.
    """
    found = place(settings.distributed)
    if found is None and settings.kubernetes_run:
        raise UsageError("--kubernetes_run: no variable of HOROVOD_, OMPI_COMM_WORLD_, PMI_ or SLURM_ tells which "
                         "worker this is; expected those of the operator's launcher. Leave it out to train alone")
    if found is None:
        return ALONE
    if os.environ.get("HOROVOD_ELASTIC") == "1":
        from segnet_hpu.runtime.elastic import Elastic

        return Elastic(settings.num_workers or settings.min_workers)
    from segnet_hpu.runtime.horovod import Horovod

    return Horovod(found.size)
