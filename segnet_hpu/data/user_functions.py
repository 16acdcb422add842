"""A user's own functions of images, as keras_segmentation takes them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from segnet_hpu.data.source import Sample, Source


class Prepared:
    """A source whose images go through a function first: uint8 RGB (H, W, 3) to the same, H and W its own."""

    def __init__(self, source: Source, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.source, self.function = source, function

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> Sample:
        """Return (image, label) of sample i."""
        image, label = self.source[i]
        return Sample(self.function(image), label)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)
