"""Decoded samples kept in memory, within a budget."""

import threading

GIB = 1 << 30


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


def default_budget():
    """A quarter of the memory that is free now, at most 2 GiB, in bytes."""
    return min(2 * GIB, available_memory() // 4)


def available_memory():
    """Bytes that this process may still take: of the machine, or of its container if that is less."""
    free = [1 * GIB]
    try:
        with open("/proc/meminfo") as file:
            free = [int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable")] or free
        with open("/sys/fs/cgroup/memory.max") as most, open("/sys/fs/cgroup/memory.current") as now:
            free.append(max(0, int(most.read()) - int(now.read())))
    except (OSError, ValueError):  # another system, or a container without a limit
        pass
    return min(free)
