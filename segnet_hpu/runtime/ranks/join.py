"""Find the ranks that a launcher has started this process among."""

import os
from typing import Protocol

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.ranks.alone import ALONE
from segnet_hpu.runtime.ranks.interface import Ranks
from segnet_hpu.runtime.worker import place


class Workers(Protocol):
    """The settings that tell of workers."""

    distributed: bool
    kubernetes_run: bool
    num_workers: int | None
    min_workers: int | None


def join(settings: Workers) -> Ranks:
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
        from segnet_hpu.runtime.ranks.elastic import Elastic

        return Elastic(settings.num_workers or settings.min_workers or found.size)
    from segnet_hpu.runtime.ranks.horovod import Horovod

    return Horovod(found.size)
