"""Whether settings of several workers agree with each other, and whether this machine has what they need."""

import importlib.util
import os
import shutil
import sys

from segnet_hpu.errors import UsageError
from segnet_hpu.launch.command import backend_of, launcher, launchers
from segnet_hpu.launch.hosts import HERE, WorkerSettings, is_elastic, layout
from segnet_hpu.runtime.devices import DeviceKind, find, kind_for_launch, kinds

# Not hls_type, which says what the machine is, as Habana's scripts do by default.
_FOR_SEVERAL = ("hosts", "kubernetes_run", "timeline", "min_workers", "max_workers", "host_discovery_script",
                "num_workers_per_hls", "launcher")
_ALONE = {"launcher": "auto", "num_workers_per_hls": 1}  # values that mean one worker


def check_workers(settings: WorkerSettings) -> None:
    """Raise UsageError for settings of workers that contradict each other. Looks at no device and no program."""
    if not settings.distributed:
        for name in _FOR_SEVERAL:
            if getattr(settings, name) not in (None, False, _ALONE.get(name)):
                raise UsageError(f"--{name} is for several workers; add --distributed, or leave it out")
        return
    _check_backend(settings)
    kind = None if settings.train_engine == "auto" else find(settings.train_engine)
    if is_elastic(settings):
        _check_elastic(settings, kind)
    elif settings.min_workers or settings.max_workers:
        raise UsageError(f"--{'min' if settings.min_workers else 'max'}_workers is for elastic training, which needs "
                         "--host_discovery_script, a program that prints host:workers, one a line")
    if settings.kubernetes_run and settings.hosts:
        raise UsageError("--kubernetes_run does not go with --hosts: the operator chooses the machines; "
                         "leave --hosts out")
    allowed = launchers(kind, backend_of()) if kind else ()
    if kind and settings.launcher not in ("auto", *allowed):
        raise UsageError(f"--launcher {settings.launcher} does not go with --train_engine {kind.name}, whose cards "
                         f"are shared out by {allowed[0]}; expected --launcher auto or {allowed[0]}")
    if settings.kubernetes_run:
        return
    hosts = layout(settings).hosts
    for each in kinds():
        if each is kind or settings.hls_type in each.boxes:
            each.check_hosts(hosts, settings.hls_type)


def _check_backend(settings: WorkerSettings) -> None:
    """Raise UsageError for what the workers of the backend in force do not have."""
    backend = backend_of()
    if backend == "jax":
        raise UsageError("--distributed: on jax one process trains, on one device; expected --backend torch or "
                         "tensorflow for several workers. Leave --distributed out, or choose one of them")
    other = {"tensorflow": "torchrun", "torch": "horovodrun"}[backend]
    if settings.launcher == other:
        raise UsageError(f"--launcher {other} starts no workers of the backend {backend}; expected --launcher auto, "
                         f"mpirun or {'torchrun' if backend == 'torch' else 'horovodrun'}")
    if settings.launcher == "torchrun" and settings.hosts:
        raise UsageError("--launcher torchrun starts workers on this machine alone; expected --launcher mpirun for "
                         "--hosts, or torchrun --nnodes started by you on each machine, without --distributed")
    horovods = "timeline" if settings.timeline else "host_discovery_script" if is_elastic(settings) else None
    if backend == "torch" and horovods:
        raise UsageError(f"--{horovods} is Horovod's, which the backend torch does not use; leave it out, or choose "
                         "--backend tensorflow")


def _check_elastic(settings: WorkerSettings, kind: DeviceKind | None) -> None:
    script = settings.host_discovery_script or ""
    if not (os.path.isfile(script) and os.access(script, os.X_OK)):
        raise UsageError(f"--host_discovery_script {script}: no such program; expected an executable file that "
                         "prints host:workers, one a line")
    if settings.launcher == "mpirun" or (kind and "horovodrun" not in kind.launchers):
        what = "--launcher mpirun" if settings.launcher == "mpirun" else f"--train_engine {settings.train_engine}"
        raise UsageError(f"--host_discovery_script does not go with {what}: only horovodrun over Gloo lets workers "
                         "come and go; leave one of them out")
    if settings.hosts or settings.num_workers_per_hls:
        what = "hosts" if settings.hosts else "num_workers_per_hls"
        raise UsageError(f"--{what} does not go with --host_discovery_script, which names the machines; leave one "
                         "of them out")
    low, high = settings.min_workers, settings.max_workers
    if not low:
        raise UsageError("--host_discovery_script needs --min_workers, the fewest workers to go on with")
    start = settings.num_workers or low
    if high and high < low:
        raise UsageError(f"--min_workers is {low} and --max_workers is {high}; expected no fewer at most than at "
                         "least. Raise --max_workers")
    if start < low or (high and start > high):
        raise UsageError(f"--num_workers is {start}; expected {low} (--min_workers) to {high or 'more'} "
                         "(--max_workers)")


def check_launchable(settings: WorkerSettings) -> None:
    """Raise UsageError for what is missing here, and say how to get it. Does not look at other machines."""
    plan, kind, backend = layout(settings), kind_for_launch(settings.train_engine), backend_of()
    install = f"run_scripts/install_horovod.sh {kind.name}"
    if backend == "tensorflow" and importlib.util.find_spec("horovod") is None:
        raise UsageError(f"--distributed: Horovod is not installed in {sys.executable}; expected Horovod 0.28.1. "
                         f"Run {install}")
    if launcher(settings, kind) == "mpirun" and not shutil.which("mpirun"):
        packages = "openmpi-bin libopenmpi-dev" if backend == "tensorflow" else "openmpi-bin"
        then = f", then run {install}" if backend == "tensorflow" else " on each machine"
        raise UsageError("--distributed: there is no mpirun on PATH; expected Open MPI 4. Install it (Debian and "
                         f"Ubuntu: apt-get install {packages}){then}")
    kind.check_hosts(plan.hosts, settings.hls_type)
    workers, cards = dict(plan.hosts).get(HERE, 0), len(kind.cards())
    if kind.cards_name and workers > cards:
        *most, last = map(str, kind.card_counts or ("", ""))
        numbers = f" to {', '.join(most)} or {last}" if kind.card_counts else ""
        raise UsageError(f"{workers} workers, one a card, but this machine has {cards} {kind.cards_name}; expected "
                         f"no more workers than that. Set NUM_WORKERS or --num_workers{numbers}")
