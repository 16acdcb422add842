"""Progress of long work: a bar on a terminal, now and then a plain line elsewhere."""

import sys
import time

SECONDS_BETWEEN_LINES = 10


def progress(items, total, what):
    """Yield the items, telling on stderr how many of `total` are done."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        yield from tqdm(items, total=total, desc=what)
        return
    told = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            print(f"{what}: {done}/{total}", file=sys.stderr)
