"""The command that starts the workers: horovodrun over Gloo, torchrun, or mpirun. Built from settings alone."""

import dataclasses
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from segnet_hpu import config
from segnet_hpu.errors import UsageError
from segnet_hpu.launch.hosts import HERE, Layout, WorkerSettings, is_elastic, layout
from segnet_hpu.runtime import processor
from segnet_hpu.runtime.devices import DeviceKind, LaunchPlan, kind_for_launch, kinds
from segnet_hpu.runtime.worker import place

# What workers on other machines need of our environment; mpirun brings only what it is told to.
EXPORTED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "KERAS_BACKEND", "HOROVOD_", "SEGNET_", "TF_", "MASTER_",
            "GLOO_", *(prefix for kind in kinds() for prefix in kind.variables_passed_on))
# For torchrun: mark its workers' lines as the others do, but for the stream, and pass each on when it comes.
TORCHRUNS_OUTPUT = {"TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE": "[${rank}]<>:", "PYTHONUNBUFFERED": "1"}


def is_worker(settings: WorkerSettings | None = None, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a launcher, scheduler or operator has started this process as one of several workers.

    settings: with `distributed`, a scheduler's variables count too, which other programs' jobs have as well.
    """
    if settings is None:
        return place(environ=environ) is not None
    return settings.kubernetes_run or place(settings.distributed, environ) is not None


def command(settings: WorkerSettings, logs: Path | str, pixels: int,
            environ: Mapping[str, str] = os.environ) -> tuple[list[str], dict[str, str]]:
    """Return (words, variables): what to run, and what to add to its environment, to train with these settings.

    logs: folder for one log a worker. pixels: those of one worker's step.
    Where no worker is to be started the command is training itself.
    environ: its KERAS_BACKEND is the workers' too. Needs neither Horovod nor the device; runs nothing but the host
    discovery script, if there is one.
    """
    settings = dataclasses.replace(settings, dry_run=False)
    if not settings.distributed or is_worker(settings, environ):
        return _train(settings, environ), {}
    plan, kind = layout(settings), kind_for_launch(settings.train_engine)
    if settings.threads is None:
        settings.threads = kind.threads_per_worker(plan.on_first)
    program, backend = launcher(settings, kind, environ), backend_of(environ)
    variables = kind.worker_variables(LaunchPlan(plan.on_first, settings.threads, pixels, program, settings.hls_type,
                                                 environ))
    variables = _torchs(variables, plan, environ) if backend == "torch" else _waiting(settings) | variables
    if program == "mpirun":
        return [*_mpirun(settings, plan, kind, logs, variables, environ), *_train(settings, environ)], {}
    if program == "torchrun":
        return [*_torchrun(plan, logs), *_train(settings, environ)[1:]], variables | TORCHRUNS_OUTPUT
    # horovodrun would take our --timeline for one of its own; its variable is set.
    train = [word for word in _train(settings, environ) if not word.startswith("--timeline=")]
    return [*_horovodrun(settings, plan, logs), *train], variables


def line(settings: WorkerSettings, logs: Path | str, pixels: int, environ: Mapping[str, str] = os.environ) -> str:
    """Return the command as one line for a shell."""
    words, variables = command(settings, logs, pixels, environ)
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in variables.items()), shlex.join(words)])


def backend_of(environ: Mapping[str, str] = os.environ) -> str:
    """Return the backend of Keras that the workers will have."""
    return environ.get("KERAS_BACKEND") or "tensorflow"


def launchers(kind: DeviceKind, backend: str) -> tuple[str, ...]:
    """Return what can start the workers; torchrun stands in for horovodrun on torch, where nothing needs Horovod."""
    return tuple("torchrun" if name == "horovodrun" and backend == "torch" else name for name in kind.launchers)


def launcher(settings: WorkerSettings, kind: DeviceKind, environ: Mapping[str, str] = os.environ) -> str:
    """Return what starts the workers: "horovodrun", "torchrun" or "mpirun"."""
    if settings.launcher != "auto":
        return settings.launcher
    first, *others = launchers(kind, backend_of(environ))
    # torchrun would have to be started on each machine.
    return others[0] if first == "torchrun" and not layout(settings).is_local else first


def _train(settings: WorkerSettings, environ: Mapping[str, str]) -> list[str]:
    return [sys.executable, "-m", "segnet_hpu", "train", *config.to_flags(settings, environ)]


def _waiting(settings: WorkerSettings) -> dict[str, str]:
    """The bounds on the workers' waiting for each other, and the timeline of it."""
    seconds = round(settings.fault_timeout)
    variables = {
        # Gloo's limit ends the wait for a process that is gone or stopped, the other one that for a process
        # which lives but does not come to the next exchange. Horovod wants its warning before the end.
        "HOROVOD_GLOO_TIMEOUT_SECONDS": str(seconds),
        "HOROVOD_STALL_CHECK_TIME_SECONDS": str(max(1, seconds // 2)),
        "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": str(seconds),
    }
    if settings.timeline:
        variables["HOROVOD_TIMELINE"] = os.path.abspath(settings.timeline)
    return variables


def _torchs(variables: Mapping[str, str], plan: Layout, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of torch's workers among several kinds', and where they find each other."""
    own = {name: value for name, value in variables.items() if not name.startswith("HOROVOD_")}
    if plan.is_local or "MASTER_ADDR" in environ:
        return own
    return own | {"MASTER_ADDR": plan.hosts[0][0]}


def _torchrun(plan: Layout, logs: Path | str) -> list[str]:
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(plan.workers),
            "--redirects", "3", "--tee", "3", "--log-dir", str(logs)]


def _mpirun(settings: WorkerSettings, plan: Layout, kind: DeviceKind, logs: Path | str,
            variables: Mapping[str, str], environ: Mapping[str, str]) -> list[str]:
    sockets = processor.cores_by_socket()
    # mpirun gives no worker cores of two processors.
    cores = min(sockets) // -(-plan.on_first // len(sockets))
    if cores or not kind.shares_cores:
        binding = ["--bind-to", "core", "--map-by", f"socket:PE={max(1, cores)}"]
    else:  # more workers than cores
        binding = ["--bind-to", "none", "--oversubscribe"]
    words = ["mpirun", "--allow-run-as-root", *binding, "-np", str(plan.workers)]
    if not plan.is_local:
        words += ["-H", _hosts(plan), *_heartbeat(settings.fault_timeout)]
        names = sorted(name for name in environ if name.startswith(EXPORTED) and name not in variables)
        words += [word for name in names for word in ("-x", name)]
    words += [word for name, value in variables.items() for word in ("-x", f"{name}={value}")]
    return [*words, "--tag-output", "--output-filename", str(logs)]


def _heartbeat(seconds: float) -> list[str]:
    """Open MPI's own default needs eight minutes to notice that a machine is gone."""
    pace = {"time": seconds / 2, "intvl": seconds / 8, "probes": 4}
    return [word for name, value in pace.items()
            for word in ("--mca", f"oob_tcp_keepalive_{name}", str(max(1, int(value))))]


def _horovodrun(settings: WorkerSettings, plan: Layout, logs: Path | str) -> list[str]:
    beside = Path(sys.executable).with_name("horovodrun")
    program = str(beside) if beside.exists() else shutil.which("horovodrun") or "horovodrun"
    words = [program, "--gloo", "-np", str(plan.workers)]
    if is_elastic(settings):
        words += ["--min-np", str(settings.min_workers)]
        words += ["--max-np", str(settings.max_workers)] if settings.max_workers else []
        words += ["--host-discovery-script", os.path.abspath(settings.host_discovery_script or "")]
        # Horovod looks for the network that machines share only once there are two.
        words += ["--network-interfaces", "lo"] if _discovers_this_machine_only(settings) else []
    elif not plan.is_local:
        words += ["-H", _hosts(plan)]
    return [*words, "--output-filename", str(logs)]


def _hosts(plan: Layout) -> str:
    return ",".join(f"{name}:{workers}" for name, workers in plan.hosts)


def _discovers_this_machine_only(settings: WorkerSettings) -> bool:
    script = settings.host_discovery_script or ""
    try:
        done = subprocess.run([os.path.abspath(script)], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"--host_discovery_script {script}: {error}; expected a program that prints host:workers, "
                         "one a line, and ends with status 0") from None
    names = {found.partition(":")[0].strip() for found in done.stdout.splitlines() if found.strip()}
    return names <= {HERE, "127.0.0.1", socket.gethostname()}
