"""Find the ranks that a launcher has started this process among."""

import os
from typing import Protocol

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.ranks.alone import ALONE
from segnet_hpu.runtime.ranks.interface import Ranks
from segnet_hpu.runtime.worker import Place, place

_OF_TORCH = ("torchrun", "environment")  # what starts PyTorch's workers alone
# Backend -> the launchers whose workers it joins, see worker.place.
_JOINABLE = {"tensorflow": ("horovodrun", "mpirun", "pmi", "srun"),
             "torch": (*_OF_TORCH, "mpirun", "pmi", "srun")}


class Workers(Protocol):
    """The settings that tell of workers."""

    distributed: bool
    kubernetes_run: bool
    num_workers: int | None
    min_workers: int | None
    fault_timeout: float


def join(settings: Workers) -> Ranks:
    """Return the ranks this process belongs to: those that a launcher started, else itself alone.

    settings: with `distributed`, a scheduler's variables count too, which other programs' jobs have as well.
    Raises UsageError where other workers were promised and none can be told, and where the backend cannot join them.
    """
    found = _place(settings)
    if found is None:
        return ALONE
    import keras

    backend = keras.config.backend()
    refuse_foreign_launcher(settings, backend)
    if found.size == 1 and (backend != "tensorflow" or found.launcher in _OF_TORCH):
        return ALONE
    return _join_torch(settings, found) if backend == "torch" else _join_horovod(settings, found)


def refuse_foreign_launcher(settings: Workers, backend: str) -> None:
    """Raise UsageError where several workers were started that cannot train together: each would train alone."""
    found = _place(settings)
    if found is None or found.size == 1 or found.launcher in _JOINABLE.get(backend, ()):
        return
    starter = "RANK and WORLD_SIZE tell of" if found.launcher == "environment" else f"{found.launcher} started"
    launchers = [name for name in _JOINABLE.get(backend, ()) if name.endswith("run")]
    if not launchers:
        raise UsageError(f"{starter} {found.size} workers, but on {backend} one process trains; expected "
                         "--backend torch or tensorflow. Else start a single process")
    raise UsageError(f"{starter} {found.size} workers, which the backend {backend} cannot join; expected "
                     f"{' or '.join(launchers)}. Give --distributed --num_workers {found.size} without a launcher, "
                     f"or --backend {'torch' if found.launcher in _OF_TORCH else 'tensorflow'}")


def _place(settings: Workers) -> Place | None:
    found = place(settings.distributed)
    if found is None and settings.kubernetes_run:
        raise UsageError("--kubernetes_run: no variable of HOROVOD_, OMPI_COMM_WORLD_, PMI_ or SLURM_, nor RANK with "
                         "WORLD_SIZE, tells which worker this is; expected those of the operator's launcher. Leave "
                         "it out to train alone")
    return found


def _join_horovod(settings: Workers, found: Place) -> Ranks:
    if os.environ.get("HOROVOD_ELASTIC") == "1":
        from segnet_hpu.runtime.ranks.elastic import Elastic

        return Elastic(settings.num_workers or settings.min_workers or found.size)
    from segnet_hpu.runtime.ranks.horovod import Horovod

    return Horovod(found.size)


def _join_torch(settings: Workers, found: Place) -> Ranks:
    from segnet_hpu.runtime.ranks.master import find_master
    from segnet_hpu.runtime.ranks.torch_distributed import TorchDistributed

    find_master(found)
    return TorchDistributed(found, settings.fault_timeout)
