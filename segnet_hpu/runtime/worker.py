"""What a worker process does for itself before it computes: know its place, take its cores, end with its launcher."""

import ctypes
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
# Marks every process of a launch of ours in its environment; the value is the launch's own.
LAUNCH_MARK = "SEGNET_LAUNCH"

_PYTORCHS = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
# Who started us -> its variables for rank, size, rank on this machine, workers on this machine.
_VARIABLES = {
    "torchrun": _PYTORCHS,
    "horovodrun": ("HOROVOD_RANK", "HOROVOD_SIZE", "HOROVOD_LOCAL_RANK", "HOROVOD_LOCAL_SIZE"),
    "mpirun": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK",
               "OMPI_COMM_WORLD_LOCAL_SIZE"),
    "pmi": ("PMI_RANK", "PMI_SIZE", "MPI_LOCALRANKID", "MPI_LOCALNRANKS"),
    # Only srun sets the step's number of tasks above 1; the rest stands in a batch script's environment as well.
    "srun": ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID", "SLURM_STEP_TASKS_PER_NODE"),
    "environment": _PYTORCHS,  # an operator, or a script of the user's
}
_SCHEDULERS = ("pmi", "srun")
# Only torchrun sets it; it may itself be started by mpirun or srun, once on each machine.
_TORCHRUNS_MARK = "TORCHELASTIC_RUN_ID"
# These start a single process of their own without saying so.
_SEVERAL_ONLY = (*_SCHEDULERS, "environment")


@dataclass(frozen=True)
class Place:
    """Where a worker stands: rank of size; local_rank of local_size on its machine; launcher: who started it."""

    rank: int
    size: int
    local_rank: int
    local_size: int
    launcher: str


def place(distributed: bool = False, environ: Mapping[str, str] = os.environ) -> Place | None:
    """Return this process's Place among workers that a launcher started, or None if it stands alone.

    distributed: heed a scheduler's variables too, which other programs' jobs have as well.
    """
    for launcher, names in _VARIABLES.items():
        if (launcher in _SCHEDULERS and not distributed) or (
                launcher == "torchrun" and _TORCHRUNS_MARK not in environ):
            continue
        rank, size, local_rank, local_size = (_number(environ.get(name)) for name in names)
        if rank is not None and size is not None and (size > 1 or launcher not in _SEVERAL_ONLY):
            return Place(rank, size, local_rank or 0, local_size or 1, launcher)
    return None


def shown_own_devices(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a scheduler started this process, which may show each worker but its own devices."""
    found = place(True, environ)
    return found is not None and found.launcher in _SCHEDULERS


def _number(text: str | None) -> int | None:
    # srun writes "2(x3)" for three machines with two tasks each.
    digits = (text or "").partition("(")[0].partition(",")[0]
    return int(digits) if digits.isdigit() else None


def pin(local_rank: int, local_size: int) -> list[int]:
    """Keep this process and its later threads on its share of the cores; return them as a sorted list.

    The machine's usable cores are dealt out in runs of equal length; with more workers than cores they share.
    """
    cores = sorted(os.sched_getaffinity(0))
    share = max(1, len(cores) // local_size)
    first = local_rank * share % len(cores)
    own = cores[first:first + share]
    os.sched_setaffinity(0, own)
    return own


def end_with_parent() -> None:
    """Have Linux kill this process when the process that started it is gone, however it ended, or has been.

    SIGKILL, because Linux may send the signal once for each thread of the parent, and horovodrun hangs for ever
    in a second SIGTERM.
    """
    if hasattr(os, "sched_setaffinity"):  # Linux
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if LAUNCH_MARK in os.environ and os.getppid() == 1:  # our own launcher is never that
            os.kill(os.getpid(), signal.SIGKILL)


def prepare(distributed: bool, pins: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Make this process, if it is one of several workers, ready to compute. Call before the backend is imported.

    distributed: see `place`. pins: the device computes on the cores, of which each worker is to have its share.
    """
    found = place(distributed, environ)
    if found is None:
        return
    end_with_parent()
    # mpirun and srun bind their processes themselves.
    if pins and found.launcher in ("horovodrun", "torchrun") and found.local_size > 1:
        pin(found.local_rank, found.local_size)
