"""Which samples make up which batch: plain arithmetic on the global step.

Nothing here remembers how far a run has come, so a resumed run that asks for step k gets
what the uninterrupted one got, and the ranks of a distributed run agree without talking.
"""

import functools

import numpy as np

from segnet_hpu.errors import UsageError, nearest

LAST = ("pad", "keep", "drop")


class Void(tuple):
    """An entry (epoch, index) that fills up a share: its image is there, its label is all void."""


class Stream:
    """An endless sequence of permutations of the data set, cut into full batches.

    Every image is seen equally often, and all batches have the same size (static shapes).

    size: number of samples. batch_size: samples of a global batch, all ranks together.
    seed: whole number from 0. shuffle: False keeps the source's order in every epoch.
    rank, ranks: this process takes its contiguous share of each global batch. Where it does not divide
    evenly, shares are filled up with Void entries, so that all are as large.
    Raises UsageError for an empty data set or batch, or a rank that is not among the ranks.
    """

    def __init__(self, size, batch_size, seed=0, shuffle=True, rank=0, ranks=1):
        _check(size, batch_size, rank, ranks)
        self.part = -(-batch_size // ranks)
        self.first = rank * self.part
        if seed < 0:
            raise UsageError(f"seed is {seed}; expected a whole number of at least 0")
        self.size, self.batch_size, self.seed, self.shuffle = size, batch_size, seed, shuffle
        # A batch touches the epoch it begins in and perhaps the next one.
        self._order = functools.lru_cache(maxsize=2)(self._permutation)

    def batch(self, step):
        """Return this rank's part of the batch of global step `step`: a list of (epoch, index)."""
        return [self._entry(step, j) for j in range(self.first, self.first + self.part)]

    def _entry(self, step, j):
        if j >= self.batch_size:
            return Void(self._entry(step, j % self.batch_size))
        epoch, place = divmod(step * self.batch_size + j, self.size)
        return epoch, int(self._order(epoch)[place])

    def _permutation(self, epoch):
        if not self.shuffle:
            return np.arange(self.size)
        # Samples draw from [seed, epoch, index] with index < size: this stream is none of theirs.
        return np.random.default_rng([self.seed, epoch, self.size]).permutation(self.size)


class Once:
    """Every sample once, in the source's order: for validation.

    size, batch_size, rank, ranks: as in Stream. last: what becomes of a last batch that is
    not full: "pad" fills it up with None, "keep" leaves it short, "drop" leaves it out.
    len(...) is the number of batches. Raises UsageError as Stream does, for an unknown `last`,
    and for "keep" with several ranks, where some would get an empty batch.
    """

    def __init__(self, size, batch_size, last="pad", rank=0, ranks=1):
        _check(size, batch_size, rank, ranks)
        if batch_size % ranks:
            raise UsageError(f"a batch of {batch_size} cannot be shared by {ranks} ranks; expected a multiple of "
                             f"{ranks}")
        part = batch_size // ranks
        self.share = slice(rank * part, (rank + 1) * part)
        if last not in LAST:
            raise UsageError(f"last is {last!r}; expected one of {', '.join(LAST)}.{nearest(last, LAST)}")
        if last == "keep" and ranks > 1:
            raise UsageError(f"last is 'keep' with {ranks} ranks; expected 'pad' or 'drop', "
                             "which give every rank equal batches")
        self.size, self.batch_size, self.last = size, batch_size, last

    def __len__(self):
        full, rest = divmod(self.size, self.batch_size)
        return full + (rest > 0 and self.last != "drop")

    def batch(self, step):
        """Return batch `step` of this rank: a list of (0, index), or None for padding."""
        start = step * self.batch_size
        entries = [(0, i) if i < self.size else None for i in range(start, start + self.batch_size)]
        if self.last == "keep":
            entries = [entry for entry in entries if entry]
        return entries[self.share]


def _check(size, batch_size, rank, ranks):
    if size < 1:
        raise UsageError("the data set is empty; expected at least one image with its label")
    if batch_size < 1:
        raise UsageError(f"batch_size is {batch_size}; expected at least 1")
    if not 0 <= rank < ranks:
        raise UsageError(f"this is rank {rank} of {ranks} ranks; expected 0 to {ranks - 1}")
