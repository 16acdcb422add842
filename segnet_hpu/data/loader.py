"""Batches from a source: decoded, transformed and stacked by threads, ahead of the consumer."""

import collections
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.cache import cached
from segnet_hpu.data.preprocessing import Transform
from segnet_hpu.data.sampling import Entry, Stream, Void
from segnet_hpu.data.source import Source
from segnet_hpu.errors import SegnetError, UsageError

AHEAD = 2

Batch = tuple[np.ndarray, np.ndarray]  # images uint8 (B, H, W, 3), labels uint8 (B, h, w)


class Loader:
    """Batches of a source, by global step. They do not depend on `threads` or the cache.

    seed: sample `index` of `epoch` is augmented from the stream [seed, epoch, index].
    threads: workers; default the number of cores, at most 8.
    cache_bytes: memory for decoded samples; 0 for none, None for a share of what is free.
    """

    def __init__(self, source: Source, sampler: Stream, transform: Transform, *, seed: int = 0,
                 threads: int | None = None, cache_bytes: int | None = None) -> None:
        self.source, self.sampler, self.transform = source, sampler, transform
        self.samples = cached(source, cache_bytes)
        self.seed = seed
        self.threads = threads or min(8, len(os.sched_getaffinity(0)))

    def iterate(self, start: int = 0, stop: int | None = None) -> Iterator[Batch]:
        """Yield the batches of steps start, start + 1, ... stop - 1, made a few ahead; without a stop for ever.

        Raises, at the batch it belongs to, the
        error of a sample, as a UsageError that names it. Closing the generator ends its threads.
        """
        steps = itertools.count(start) if stop is None else iter(range(start, stop))
        pool = ThreadPoolExecutor(self.threads, "loader")
        try:
            pending = collections.deque(self._submit(pool, s) for s in itertools.islice(steps, AHEAD + 1))
            while pending:
                batch, parts = pending.popleft()
                for part in parts:
                    part.result()
                pending.extend(self._submit(pool, s) for s in itertools.islice(steps, 1))
                yield batch
        finally:
            pool.shutdown(cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, step: int) -> tuple[Batch, list[Future[None]]]:
        entries = self.sampler.batch(step)
        images = np.empty((len(entries), *self.transform.size, self.transform.channels), np.uint8)
        labels = np.empty((len(entries), *self.transform.label_size), np.uint8)
        parts = [pool.submit(self._fill, entry, images[j], labels[j]) for j, entry in enumerate(entries)]
        return (images, labels), parts

    def _fill(self, entry: Entry, image_out: np.ndarray, label_out: np.ndarray) -> None:
        """Write the sample of `entry` into the two arrays."""
        epoch, index = entry
        try:
            image, label = self.samples[index]
            rng = np.random.default_rng([self.seed, epoch, index])
            made = self.transform(image, label, rng, (image_out, label_out))
        except SegnetError:
            raise
        except Exception as error:
            raise UsageError(f"{self.source.name(index)}: cannot be made into a sample: "
                             f"{type(error).__name__}: {error}") from error
        if isinstance(entry, Void):
            label_out[...] = VOID
        # OpenCV writes elsewhere if a shape differs: better a failure than an unwritten array.
        assert made[0] is image_out and made[1] is label_out
