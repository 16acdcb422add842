"""Images that go through a function first."""

import numpy as np
from segnet_hpu.data.user_functions import Prepared

from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.source import Sample


class One:
    pairs = [Pair("images/a.png", "labels/a.png")]

    def __len__(self):
        return 1

    def __getitem__(self, i):
        return Sample(np.full((2, 3, 3), 7, np.uint8), self.label(i))

    def label(self, i):
        return np.arange(6, dtype=np.uint8).reshape(2, 3)

    def name(self, i):
        return "a"


def test_a_function_changes_images_and_nothing_else():
    source = Prepared(One(), lambda image: image + 1)
    image, label = source[0]
    assert (image == 8).all() and label.tolist() == source.label(0).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(source) == 1 and source.name(0) == "a" and source.pairs == One.pairs
