"""Decoded samples kept in memory, within a budget."""

import os
import threading
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

GIB = 1 << 30
# Limit, use, and the line of memory.stat for cached files that give way; versions 2 and 1.
CGROUP_FILES = (("memory.max", "memory.current", "inactive_file"),
                ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"))


Arrays = TypeVar("Arrays", bound=tuple[np.ndarray, ...], covariant=True)


class Samples(Protocol[Arrays]):
    """What is cached: tuples of arrays."""

    def __getitem__(self, i: int) -> Arrays: ...


class Cache(Generic[Arrays]):
    """A source that keeps what it has decoded, until `budget` bytes are full.

    The first samples to come stay: throwing out the oldest would, with data larger than the budget,
    throw out each one just before its next use. Safe to use from many threads.
    budget: bytes, None for `default_budget()`.
    """

    def __init__(self, source: Samples[Arrays], budget: int | None = None) -> None:
        self.source = source
        self.budget = default_budget() if budget is None else budget
        self.used = 0
        self._kept: dict[int, Arrays] = {}
        self._lock = threading.Lock()

    def __getitem__(self, index: int) -> Arrays:
        """Return sample `index`; the arrays may be shared and are then read-only."""
        sample = self._kept.get(index)
        return self._keep(index, self.source[index]) if sample is None else sample

    def _keep(self, index: int, sample: Any) -> Any:
        size = sum(array.nbytes for array in sample)
        with self._lock:
            if index not in self._kept and self.used + size <= self.budget:
                for array in sample:
                    array.flags.writeable = False
                self._kept[index] = sample
                self.used += size
        return sample


def cached(source: Any, budget: int | None) -> Any:
    """Return a Source that keeps what it has decoded; one with a `cached` of its own keeps what is not random."""
    keep = getattr(source, "cached", None)
    return keep(budget) if keep else Cache(source, budget)


def default_budget(sharers: int = 1) -> int:
    """A quarter of the memory that is free now, at most 2 GiB, in bytes; for one of so many processes alike."""
    return min(2 * GIB, available_memory() // 4 // sharers)


def available_memory(meminfo: str = "/proc/meminfo", cgroup: str = "/sys/fs/cgroup") -> int:
    """Bytes that this process may still take: of the machine, or of its container if that is less.

    meminfo, cgroup: where Linux tells of the two.
    """
    free = [_left(cgroup, *names) for names in CGROUP_FILES]
    try:
        with open(meminfo) as file:
            free += [int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable")]
    except OSError:  # another system
        pass
    return min((size for size in free if size is not None), default=GIB)


def _left(folder: str, limit: str, usage: str, cached: str) -> int | None:
    """Bytes up to a container's limit, what caches of files hold counted as free; None without a limit."""
    try:
        with open(f"{folder}/{limit}") as most, open(f"{folder}/{usage}") as now:
            left = int(most.read()) - int(now.read())
        with open(f"{folder}/{os.path.dirname(limit)}/memory.stat") as file:
            left += sum(int(line.split()[1]) for line in file if line.startswith(f"{cached} "))
    except (OSError, ValueError):  # no such version, or "max": no limit
        return None
    return max(0, left)
