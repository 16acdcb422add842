"""Whether this machine has what a launch needs: Horovod, the launcher, and a card for every worker."""

import importlib.util
import shutil
import sys

from segnet_hpu.errors import UsageError
from segnet_hpu.launch.command import device_kind, with_mpirun
from segnet_hpu.launch.hosts import HERE, check_cards, layout
from segnet_hpu.runtime import environment, hpu


def check_launchable(settings):
    """Raise UsageError for what is missing here, and say how to get it. Does not look at other machines."""
    plan, kind = layout(settings), device_kind(settings)
    install = f"run_scripts/install_horovod.sh {kind}"
    if importlib.util.find_spec("horovod") is None:
        raise UsageError(f"--distributed: Horovod is not installed in {sys.executable}; expected Horovod 0.28.1. "
                         f"Run {install}")
    if with_mpirun(settings, kind) and not shutil.which("mpirun"):
        raise UsageError("--distributed: there is no mpirun on PATH; expected Open MPI 4. Install it (Debian and "
                         f"Ubuntu: apt-get install openmpi-bin libopenmpi-dev), then run {install}")
    if kind == "hpu":
        check_cards(plan, settings.hls_type)
    if kind != "cpu":
        _check_cards_here(kind, dict(plan.hosts).get(HERE, 0))


def _check_cards_here(kind, workers):
    found, name, numbers = {"gpu": (environment.nvidia_gpus, "GPUs", ""),
                            "hpu": (hpu.cards, "Gaudi cards", " to 1, 2, 4 or 8")}[kind]
    if workers > (count := len(found())):
        raise UsageError(f"{workers} workers, one a card, but this machine has {count} {name}; expected no more "
                         f"workers than that. Set NUM_WORKERS or --num_workers{numbers}")
