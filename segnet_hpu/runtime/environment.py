"""What is installed on this machine, found without ever failing.

The backends and Horovod are asked in processes of their own: a broken build of theirs may end the process.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from segnet_hpu.runtime.backends import installed
from segnet_hpu.runtime.devices import kinds

# Name for people -> the distributions that can provide it.
PACKAGES: dict[str, tuple[str, ...]] = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "torch": ("torch",),
    "jax": ("jax",),
    "keras": ("keras",),
    "numpy": ("numpy",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    "horovod": ("horovod", "habana-horovod"),
}
_ASK_TENSORFLOW = "import json, tensorflow as tf; print(json.dumps({%s}))"
_ASK_TORCH = """
import json, torch
print(json.dumps({"cuda_build": torch.version.cuda, "gpus": torch.cuda.device_count()}))
"""
_ASK_JAX = """
import json
from segnet_hpu.runtime.backends import find
print(json.dumps({"gpus": len(find("jax").gpus())}))
"""
_ASK_HOROVOD = """
import json
from segnet_hpu.runtime.devices import prepare_horovod
prepare_horovod()
import horovod.tensorflow as hvd
built = {"Gloo": hvd.gloo_built(), "MPI": hvd.mpi_built(), "NCCL": hvd.nccl_built()}
print(json.dumps({name: bool(there) for name, there in built.items()}))
"""


@dataclass(frozen=True)
class Environment:
    """The machine, the packages and the devices; all of it fit for JSON.

    versions: name -> version, or None where not installed. backend: the one in force; backends: those installed.
    tensorflow, torch, jax and horovod: what they say of their build, {} if absent, {"error": text} if broken.
    devices: what the kinds of device note of this machine, in one dictionary.
    """

    python: str
    os: str
    versions: dict[str, str | None]
    backend: str
    backends: list[str]
    tensorflow: dict[str, Any]
    horovod: dict[str, Any]
    devices: dict[str, Any]
    torch: dict[str, Any] = field(default_factory=dict)
    jax: dict[str, Any] = field(default_factory=dict)


def inspect() -> Environment:
    """Return what this machine and this Python hold."""
    packages, queries, devices = dict(PACKAGES), dict[str, str](), dict[str, Any]()
    for kind in reversed(kinds()):
        packages |= kind.packages
        queries |= kind.tensorflow_queries
        devices |= kind.inventory()
    ask_tensorflow = _ASK_TENSORFLOW % ", ".join(f"{key!r}: {query}" for key, query in queries.items())
    return Environment(
        python=platform.python_version(),
        os=_os_name(),
        versions={name: _version(distributions) for name, distributions in packages.items()},
        backend=os.environ["KERAS_BACKEND"],
        backends=installed(),
        tensorflow=_ask(ask_tensorflow) if importlib.util.find_spec("tensorflow") else {},
        horovod=_ask(_ASK_HOROVOD) if importlib.util.find_spec("horovod") else {},
        devices=devices,
        torch=_ask(_ASK_TORCH) if importlib.util.find_spec("torch") else {},
        jax=_ask(_ASK_JAX) if importlib.util.find_spec("jax") else {})


def _version(distributions: tuple[str, ...]) -> str | None:
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _ask(code: str) -> dict[str, Any]:
    """The JSON that a Python process with this code prints last, or {"error": its last line}."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, errors="replace",
                              timeout=120, env=quiet, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error).splitlines()[0]}
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found
    except (ValueError, IndexError):
        lines = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        return {"error": lines[-1]}


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
