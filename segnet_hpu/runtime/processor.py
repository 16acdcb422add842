"""What Linux tells of the machine's processors."""

import os
from pathlib import Path

# The first two are x86's, the last is Arm's.
BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def bf16_instructions(cpuinfo: Path | str = "/proc/cpuinfo") -> tuple[str, ...]:
    """Return the names of the CPU's bf16 instruction sets; empty where bf16 is emulated or unknown."""
    words = set(_field(cpuinfo, "flags").split()) | set(_field(cpuinfo, "Features").split())
    return tuple(name for name in BF16_INSTRUCTIONS if name in words)


def model_name(cpuinfo: Path | str = "/proc/cpuinfo") -> str:
    """Return the CPU's name, or "CPU" where Linux does not tell it."""
    return _field(cpuinfo, "model name") or "CPU"


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1


def cores_by_socket(cpuinfo: Path | str = "/proc/cpuinfo") -> list[int]:
    """Return how many cores, not their hardware threads, this process may run on, of each processor."""
    try:
        blocks = Path(cpuinfo).read_text().split("\n\n")
        usable = os.sched_getaffinity(0)
    except (OSError, AttributeError):
        return [usable_cores()]
    sockets: dict[str, set[str]] = {}
    for block in blocks:
        pairs = (line.partition(":") for line in block.splitlines())
        fields = {key.strip(): value.strip() for key, _, value in pairs}
        if "core id" in fields and int(fields["processor"]) in usable:
            sockets.setdefault(fields["physical id"], set()).add(fields["core id"])
    return [len(cores) for cores in sockets.values()] or [usable_cores()]


def _field(cpuinfo: Path | str, name: str) -> str:
    try:
        lines = Path(cpuinfo).read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == name), "")
