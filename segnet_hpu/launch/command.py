"""The command that starts the workers: horovodrun over Gloo, or mpirun. Built from settings alone."""

import dataclasses
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from segnet_hpu import config
from segnet_hpu.errors import UsageError
from segnet_hpu.launch.hosts import BOXES, CARD_COUNTS, HERE, is_elastic, layout
from segnet_hpu.models.registry import input_size
from segnet_hpu.runtime import cpu, environment, hpu
from segnet_hpu.runtime.worker import place

# What workers on other machines need of our environment; mpirun brings only what it is told to.
EXPORTED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "KERAS_BACKEND", "HABANA_", "HOROVOD_", "NCCL_", "SEGNET_",
            "TF_", "OMP_", "GC_KERNEL_PATH", "LOG_LEVEL_ALL", "ENABLE_CONSOLE")


def joined(settings=None, environ=os.environ):
    """Return whether a launcher, scheduler or operator has started this process as one of several workers.

    settings: with `distributed`, a scheduler's variables count too, which other programs' jobs have as well.
    """
    if settings is None:
        return place(environ=environ) is not None
    return settings.kubernetes_run or place(settings.distributed, environ) is not None


def command(settings, logs, environ=os.environ):
    """Return (words, variables): what to run, and what to add to its environment, to train with these settings.

    logs: folder for one log a worker. Where no worker is to be started it is training itself.
    Needs neither Horovod nor the device; runs nothing but the host discovery script, if there is one.
    """
    settings = dataclasses.replace(settings, dry_run=False)
    if not settings.distributed or joined(settings, environ):
        return _train(settings, environ), {}
    plan, kind = layout(settings), device_kind(settings)
    if kind == "cpu" and settings.threads is None:
        settings.threads = max(1, cpu.usable_cores() // plan.on_first)
    variables = _variables(settings, plan, kind, environ)
    if with_mpirun(settings, kind):
        return [*_mpirun(settings, plan, kind, logs, variables, environ), *_train(settings, environ)], {}
    # horovodrun would take our --timeline for one of its own; its variable is set.
    train = [word for word in _train(settings, environ) if not word.startswith("--timeline=")]
    return [*_horovodrun(settings, plan, logs), *train], variables


def line(settings, logs, environ=os.environ):
    """Return the command as one line for a shell."""
    words, variables = command(settings, logs, environ)
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in variables.items()), shlex.join(words)])


def device_kind(settings):
    """Return "hpu", "gpu" or "cpu": what --train_engine says, or what auto will find, without TensorFlow."""
    if settings.train_engine != "auto":
        return settings.train_engine
    if hpu.installed() and hpu.cards():
        return "hpu"
    return "gpu" if environment.nvidia_gpus() else "cpu"


def with_mpirun(settings, kind):
    """Return whether mpirun starts the workers, rather than horovodrun."""
    return settings.launcher == "mpirun" or (settings.launcher == "auto" and kind == "hpu")


def _train(settings, environ):
    return [sys.executable, "-m", "segnet_hpu", "train", *config.to_flags(settings, environ)]


def _variables(settings, plan, kind, environ):
    """The workers' environment: bounds on waiting for each other, threads, cards."""
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
    if kind == "cpu" and "OMP_NUM_THREADS" not in environ:
        variables["OMP_NUM_THREADS"] = str(settings.threads)
    if kind == "cpu" and "HOROVOD_CYCLE_TIME" not in environ:
        height, width = input_size(settings.model_name, settings.input_height, settings.input_width)
        variables["HOROVOD_CYCLE_TIME"] = str(cycle_time(settings.batch_size * height * width))
    if kind == "cpu" and with_mpirun(settings, kind):
        variables |= YIELD
    box = BOXES.get(settings.hls_type, max(CARD_COUNTS))
    if kind == "hpu" and plan.on_first < box and "HABANA_VISIBLE_MODULES" not in environ:
        variables["HABANA_VISIBLE_MODULES"] = ",".join(map(str, range(plan.on_first)))
    return variables


# Open MPI waits by asking again and again, on the core that computes: let it step aside.
YIELD = {"OMPI_MCA_mpi_yield_when_idle": "1"}


def cycle_time(pixels):
    """Return the milliseconds between two rounds of Horovod's own talk, for a CPU's step over so many pixels.

    Each round takes the core from the computation, 5 % of it at Horovod's 1 ms; averaging begins up to one
    round late. So about a hundredth of a step, which takes a core some seconds for 2 x 320 x 640 pixels.
    """
    return min(50, max(1, pixels // 8192))


def _mpirun(settings, plan, kind, logs, variables, environ):
    sockets = cpu.cores_by_socket()
    # mpirun gives no worker cores of two processors.
    cores = min(sockets) // -(-plan.on_first // len(sockets))
    if cores or kind == "hpu":
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


def _heartbeat(seconds):
    """Open MPI's own default needs eight minutes to notice that a machine is gone."""
    pace = {"time": seconds / 2, "intvl": seconds / 8, "probes": 4}
    return [word for name, value in pace.items()
            for word in ("--mca", f"oob_tcp_keepalive_{name}", str(max(1, int(value))))]


def _horovodrun(settings, plan, logs):
    beside = Path(sys.executable).with_name("horovodrun")
    program = str(beside) if beside.exists() else shutil.which("horovodrun") or "horovodrun"
    words = [program, "--gloo", "-np", str(plan.workers)]
    if is_elastic(settings):
        words += ["--min-np", str(settings.min_workers)]
        words += ["--max-np", str(settings.max_workers)] if settings.max_workers else []
        words += ["--host-discovery-script", os.path.abspath(settings.host_discovery_script)]
        # Horovod looks for the network that machines share only once there are two.
        words += ["--network-interfaces", "lo"] if _discovers_this_machine_only(settings) else []
    elif not plan.is_local:
        words += ["-H", _hosts(plan)]
    return [*words, "--output-filename", str(logs)]


def _hosts(plan):
    return ",".join(f"{name}:{workers}" for name, workers in plan.hosts)


def _discovers_this_machine_only(settings):
    script = settings.host_discovery_script
    try:
        done = subprocess.run([os.path.abspath(script)], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"--host_discovery_script {script}: {error}; expected a program that prints host:workers, "
                         "one a line, and ends with status 0") from None
    names = {found.partition(":")[0].strip() for found in done.stdout.splitlines() if found.strip()}
    return names <= {HERE, "127.0.0.1", socket.gethostname()}
