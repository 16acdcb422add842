"""Decoded samples kept in memory, within a budget."""

import os
import threading

GIB = 1 << 30
# Limit, use, and the line of memory.stat for cached files that give way; versions 2 and 1.
CGROUP_FILES = (("memory.max", "memory.current", "inactive_file"),
                ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"))


class Cache:
    """A source that keeps what it has decoded, until `budget` bytes are full.

    The first samples to come stay: throwing out the oldest would, with data larger than the budget,
    throw out each one just before its next use. Safe to use from many threads.
    source: anything with source[i] -> (image, label). budget: bytes, None for `default_budget()`.
    """

    def __init__(self, source, budget=None):
        self.source = source
        self.budget = default_budget() if budget is None else budget
        self.used = 0
        self._kept = {}
        self._lock = threading.Lock()

    def __getitem__(self, index):
        """Return sample `index`; the arrays may be shared and are then read-only."""
        pair = self._kept.get(index)
        return self._keep(index, self.source[index]) if pair is None else pair

    def _keep(self, index, pair):
        size = sum(array.nbytes for array in pair)
        with self._lock:
            if index not in self._kept and self.used + size <= self.budget:
                for array in pair:
                    array.flags.writeable = False
                self._kept[index] = pair
                self.used += size
        return pair


def default_budget(sharers=1):
    """A quarter of the memory that is free now, at most 2 GiB, in bytes; for one of so many processes alike."""
    return min(2 * GIB, available_memory() // 4 // sharers)


def available_memory(meminfo="/proc/meminfo", cgroup="/sys/fs/cgroup"):
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


def _left(folder, limit, usage, cached):
    """Bytes up to a container's limit, what caches of files hold counted as free; None without a limit."""
    try:
        with open(f"{folder}/{limit}") as most, open(f"{folder}/{usage}") as now:
            left = int(most.read()) - int(now.read())
        with open(f"{folder}/{os.path.dirname(limit)}/memory.stat") as file:
            left += sum(int(line.split()[1]) for line in file if line.startswith(f"{cached} "))
    except (OSError, ValueError):  # no such version, or "max": no limit
        return None
    return max(0, left)
