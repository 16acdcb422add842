"""Which samples make up which batch: plain arithmetic on the global step.

Nothing here remembers how far a run has come, so a resumed run that asks for step k gets
what the uninterrupted one got, and the ranks of a distributed run agree without talking.
"""

import functools

import numpy as np

from segnet_hpu.errors import UsageError

Entry = tuple[int, int]  # epoch, index of the sample


class Void(Entry):
    """An entry (epoch, index) that fills up a share: its image is there, its label is all void."""


class Stream:
    """An endless sequence of permutations of the data set, cut into full batches.

    Every image is seen equally often, and all batches have the same size (static shapes).

    size: number of samples. batch_size: samples of a global batch, all ranks together.
    seed: whole number from 0. shuffle: False keeps the source's order in every epoch.
    rank, ranks: this process takes its contiguous share of each global batch. Where it does not divide
    evenly, shares are filled up with Void entries, so that all are as large.
    Raises UsageError for an empty data set or batch, or a rank that is not among the ranks.

    >>> Stream(size=3, batch_size=2, shuffle=False).batch(1)
    [(0, 2), (1, 0)]
    """

    def __init__(self, size: int, batch_size: int, seed: int = 0, shuffle: bool = True, rank: int = 0,
                 ranks: int = 1) -> None:
        if size < 1:
            raise UsageError("the data set is empty; expected at least one image with its label")
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; expected at least 1")
        if seed < 0:
            raise UsageError(f"seed is {seed}; expected a whole number of at least 0")
        if not 0 <= rank < ranks:
            raise UsageError(f"this is rank {rank} of {ranks} ranks; expected 0 to {ranks - 1}")
        self.part = -(-batch_size // ranks)
        self.first = rank * self.part
        self.size, self.batch_size, self.seed, self.shuffle = size, batch_size, seed, shuffle
        # A batch touches the epoch it begins in and perhaps the next one.
        self._order = functools.lru_cache(maxsize=2)(self._permutation)

    def batch(self, step: int) -> list[Entry]:
        """Return this rank's part of the batch of global step `step`: a list of (epoch, index)."""
        return [self._entry(step, j) for j in range(self.first, self.first + self.part)]

    def _entry(self, step: int, j: int) -> Entry:
        if j >= self.batch_size:
            return Void(self._entry(step, j % self.batch_size))
        epoch, place = divmod(step * self.batch_size + j, self.size)
        return epoch, int(self._order(epoch)[place])

    def _permutation(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(self.size)
        # Samples draw from [seed, epoch, index] with index < size: this stream is none of theirs.
        return np.random.default_rng([self.seed, epoch, self.size]).permutation(self.size)
