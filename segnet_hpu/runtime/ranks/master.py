"""Where the ranks of torch.distributed find each other: at rank 0's address and a port there."""

import os
import re
import zlib
from collections.abc import MutableMapping

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.worker import Place

# Below those that Linux gives to connections.
FIRST_PORT, PORTS = 20_000, 10_000
# What numbers a job, and is the same for all of its workers.
_JOBS = {"mpirun": ("PMIX_NAMESPACE",), "srun": ("SLURM_JOB_ID", "SLURM_STEP_ID")}


def find_master(place: Place, environ: MutableMapping[str, str] = os.environ) -> None:
    """Set MASTER_ADDR and MASTER_PORT where the launcher has not: the same for all of its workers.

    Raises UsageError where nothing tells the workers of this job from those of others.
    """
    if not environ.get("MASTER_ADDR"):
        environ["MASTER_ADDR"] = _address(place, environ)
    if not environ.get("MASTER_PORT"):
        environ["MASTER_PORT"] = str(_port(place, environ))


def _address(place: Place, environ: MutableMapping[str, str]) -> str:
    if place.local_size == place.size and place.launcher in _JOBS:
        return "127.0.0.1"
    if place.launcher == "srun" and (nodes := environ.get("SLURM_STEP_NODELIST")):
        # Such as "gpu[007-009,12],cpu1": its first.
        return re.sub(r"\[(\d+)[^\]]*\]", r"\1", nodes, count=1).partition(",")[0]
    raise UsageError(f"this is rank {place.rank} of {place.size} workers, but nothing says where rank 0 is; expected "
                     "MASTER_ADDR, its machine, and MASTER_PORT, a free port there, as torchrun sets them. Set both, "
                     "or unset RANK and WORLD_SIZE to train alone")


def _port(place: Place, environ: MutableMapping[str, str]) -> int:
    job = [environ.get(name, "") for name in _JOBS.get(place.launcher, ())]
    if not any(job):
        raise UsageError(f"this is rank {place.rank} of {place.size} workers, but nothing says at which port rank 0 "
                         f"waits on {environ['MASTER_ADDR']}; expected MASTER_PORT, one that is free there")
    return FIRST_PORT + zlib.crc32(" ".join(job).encode()) % PORTS
