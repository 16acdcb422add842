"""Stands in for Habana's bridge: importing it gives torch the device "hpu", whose memory is the host's.

Every operator computes on the CPU and is counted by name and types; see device.cpp, which is compiled once for each
release of torch. HPU_STANDIN_GENERATOR=1 gives the device generators of random numbers, as the public bridge has not.
HPU_STANDIN_LOG=FILE: what was counted is appended to the file when the process ends, a JSON line of {key: calls}.
"""

import atexit
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch

_FOLDER = Path(__file__).resolve().parents[2]


def _compile() -> Path:
    """Return the library made of device.cpp, which other processes may make at the same time."""
    source = _FOLDER / "device.cpp"
    made_of = source.read_bytes() + torch.__version__.encode() + torch.__file__.encode()
    library = Path(tempfile.gettempdir()) / f"hpu_standin_{os.getuid()}_{hashlib.sha256(made_of).hexdigest()[:16]}.so"
    if not library.exists():
        ours, of_torch = library.with_suffix(f".{os.getpid()}"), Path(torch.__file__).parent
        subprocess.run(["g++", "-std=c++20", "-O0", "-fPIC", "-shared", str(source), "-o", str(ours),
                        f"-I{of_torch}/include", f"-L{of_torch}/lib", "-ltorch_cpu", "-ltorch", "-lc10"], check=True)
        ours.replace(library)
    return library


def listed_operators() -> list[str]:
    """Return the operators that the bridge's public list has, without "aten::"."""
    lines = (_FOLDER / "operators.txt").read_text().splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def take_counts() -> Mapping[str, int]:
    """Return how often each operator was called since the last call of this, by "[unlisted ]aten::NAME TYPES"."""
    return torch.ops.hpu_standin.take_counts()


def _write_counts() -> None:
    with open(os.environ["HPU_STANDIN_LOG"], "a") as file:
        file.write(json.dumps(dict(take_counts())) + "\n")


torch.ops.load_library(_compile())
torch.ops.hpu_standin.add_operators(listed_operators())
if "HPU_STANDIN_LOG" in os.environ:
    atexit.register(_write_counts)

from habana_frameworks.torch import hpu  # noqa: E402

torch._register_device_module("hpu", hpu)
