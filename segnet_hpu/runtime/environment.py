"""What is installed on this machine, found without ever failing.

TensorFlow and Horovod are asked in processes of their own: a broken build of theirs may end the process.
"""

import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys

from segnet_hpu.runtime import cpu, hpu

# Name for people -> the distributions that can provide it.
PACKAGES = {
    "tensorflow": ("tensorflow", "tensorflow-cpu"),
    "keras": ("keras",),
    "numpy": ("numpy",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python"),
    "horovod": ("horovod", "habana-horovod"),
    "habana-tensorflow": ("habana-tensorflow",),
}
BACKENDS = ("tensorflow", "jax", "torch")

_ASK_TENSORFLOW = """
import json, tensorflow as tf
print(json.dumps({"gpus": len(tf.config.list_physical_devices("GPU")),
                  "cuda_build": tf.test.is_built_with_gpu_support()}))
"""
_ASK_HOROVOD = """
import json, horovod.tensorflow as hvd
built = {"Gloo": hvd.gloo_built(), "MPI": hvd.mpi_built(), "NCCL": hvd.nccl_built()}
print(json.dumps({name: bool(there) for name, there in built.items()}))
"""


def facts():
    """Return a dict, fit for JSON, of the machine, the packages and the devices.

    Keys: python, os, cpu, cores, memory_gib, cpu_bf16 (list), versions (name -> version or None),
    backend, backends (list), tensorflow and horovod ({} if absent, {"error": text} if broken),
    gpus and hpu_cards (lists of lines, as nvidia-smi and hl-smi know them), habana_module (bool).
    """
    return {
        "python": platform.python_version(),
        "os": _os_name(),
        "cpu": cpu.model_name(),
        "cores": cpu.usable_cores(),
        "memory_gib": _memory_gib(),
        "cpu_bf16": list(cpu.bf16_instructions()),
        "versions": {name: _version(distributions) for name, distributions in PACKAGES.items()},
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "backends": [name for name in BACKENDS if importlib.util.find_spec(name)],
        "tensorflow": _ask(_ASK_TENSORFLOW) if importlib.util.find_spec("tensorflow") else {},
        "horovod": _ask(_ASK_HOROVOD) if importlib.util.find_spec("horovod") else {},
        "gpus": nvidia_gpus(),
        "hpu_cards": hpu.cards(),
        "habana_module": hpu.installed(),
    }


def _version(distributions):
    for name in distributions:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def _ask(code):
    """The JSON that a Python process with this code prints last, or {"error": its last line}."""
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, errors="replace",
                              timeout=120, env=quiet, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error).splitlines()[0]}
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        lines = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        return {"error": lines[-1]}


def nvidia_gpus():
    """Return one line a GPU, as nvidia-smi lists them; [] without it."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return []
    # "GPU 0: NVIDIA H200 (UUID: GPU-...)"
    return [line.split(" (UUID")[0] for line in done.stdout.splitlines() if line.startswith("GPU ")]


def _os_name():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _memory_gib():
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (ValueError, OSError, AttributeError):
        return None
