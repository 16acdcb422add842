"""Do the next pieces of work while the consumer is busy with this one."""

import collections
import itertools
import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CORES = os.cpu_count() or 1

Item = TypeVar("Item")
Result = TypeVar("Result")


def prefetched(function: Callable[[Item], Result], items: Iterable[Item], threads: int = 2,
               ahead: int = 4) -> Generator[Result, None, None]:
    """Yield function(item) in order, computed by threads at most `ahead` items before they are asked for.

    An exception of `function` is raised where its result would have come.

    >>> list(prefetched(abs, [-1, 2]))
    [1, 2]
    """
    rest = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        pending = collections.deque(pool.submit(function, item) for item in itertools.islice(rest, ahead))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in itertools.islice(rest, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items, the last one shorter if need be."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, size)):
        yield batch
