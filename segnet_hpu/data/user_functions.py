"""A user's own functions of images, as keras_segmentation takes them."""

from collections.abc import Callable

import numpy as np

from segnet_hpu.data.source import Sample, Source


class Prepared:
    """A source whose images go through a function first: uint8 RGB (H, W, 3) to the same, H and W its own."""

    def __init__(self, source: Source, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.source, self.function, self.pairs = source, function, source.pairs

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> Sample:
        """Return (image, label) of sample i."""
        image, label = self.source[i]
        return Sample(self.function(image), label)

    def label(self, i: int) -> np.ndarray:
        """Return label i alone."""
        return self.source.label(i)

    def name(self, i: int) -> str:
        """Return the name of sample i."""
        return self.source.name(i)
