"""Progress of long work: a bar with ETA on a terminal, plain lines now and then elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")

PLAIN_SECONDS = 15.0  # between two lines
BAR_SECONDS = 0.1  # between two drawings of the bar


class Progress:
    """A context that counts units of work up to `total`, None if unknown.

    what: name of the work. unit: what is counted. start: units that were done before.
    quiet: show nothing (ranks other than 0).
    """

    def __init__(self, what: str, total: int | None, unit: str, start: int = 0, quiet: bool = False) -> None:
        self.what, self.total, self.unit, self.quiet = what, total, unit, quiet
        self.first = self.done = start
        self.bar: Any = None  # a tqdm bar

    def __enter__(self) -> "Progress":
        self.began = self.spoke = time.monotonic()
        if not self.quiet and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=self.total, initial=self.first, desc=self.what, unit=self.unit,
                            leave=False, dynamic_ncols=True, mininterval=BAR_SECONDS)
        return self

    def update(self, n: int, note: str = "") -> None:
        """Count `n` more units; `note` stands at the end of the line."""
        self.done += n
        if self.bar:
            self.bar.set_postfix_str(note, refresh=False)
            self.bar.update(n)
        elif not self.quiet and time.monotonic() - self.spoke >= PLAIN_SECONDS:
            self.spoke = time.monotonic()
            of, left = "", ""
            if self.total is not None:
                of = f"/{self.total}"
                left = f", {(self.total - self.done) / self.rate if self.rate else 0:.0f} s left"
            print(f"{self.what}: {self.done}{of} {self.unit}s, {self.rate:.2f} {self.unit}s/s{left} {note}".rstrip(),
                  file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return max(time.monotonic() - self.began, 1e-9)

    @property
    def rate(self) -> float:
        """Units a second since the start."""
        return (self.done - self.first) / self.seconds

    def __exit__(self, *_: object) -> None:
        if self.bar:
            self.bar.close()


def progress(items: Iterable[Item], total: int | None, what: str, unit: str = "file") -> Iterator[Item]:
    """Yield the items, showing how many of `total` are done."""
    with Progress(what, total, unit) as shown:
        for item in items:
            yield item
            shown.update(1)
