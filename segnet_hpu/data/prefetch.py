"""Do the next pieces of work while the consumer is busy with this one."""

import collections
import itertools
from concurrent.futures import ThreadPoolExecutor


def prefetched(function, items, threads=2, ahead=4):
    """Yield function(item) in order, computed by threads at most `ahead` items before they are asked for.

    An exception of `function` is raised where its result would have come.
    """
    items = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        pending = collections.deque(pool.submit(function, item) for item in itertools.islice(items, ahead))
        while pending:
            result = pending.popleft().result()
            pending.extend(pool.submit(function, item) for item in itertools.islice(items, 1))
            yield result
    finally:
        pool.shutdown(cancel_futures=True)


def batched(items, size):
    """Yield lists of `size` items, the last one shorter if need be."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
