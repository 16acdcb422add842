"""The loader as Keras takes it."""

import keras


class BatchDataset(keras.utils.PyDataset):
    """A Loader's batches for `model.fit`, `evaluate` and `predict` on any Keras backend.

    Item i is the batch of global step `start + i`; asked for in order, as Keras does, the next ones are
    made meanwhile. With a Stream it has no end: give `steps_per_epoch`, and the epochs of `fit` go on
    through the stream. With a Once its length is the sampler's number of batches.
    loader: a Loader. start: the first step, for a resumed run.
    """

    def __init__(self, loader, start=0):
        super().__init__()  # one worker: the loader has its own threads
        self.loader, self.start = loader, start
        self._batches, self._next = None, None

    @property
    def num_batches(self):
        """Batches until the end, or None for an endless stream."""
        sampler = self.loader.sampler
        return len(sampler) - self.start if hasattr(sampler, "__len__") else None

    def __getitem__(self, i):
        """Return images uint8 (B, H, W, 3), labels uint8 (B, h, w)."""
        step = self.start + i
        if step != self._next:
            if self._batches:
                self._batches.close()
            self._batches = self.loader.iterate(step)
        self._next = step + 1
        return next(self._batches)
