"""Images that go through a function first."""

import numpy as np

import made_datasets as made
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.data.source import FolderSource


def test_a_function_changes_images_and_nothing_else(tmp_path):
    made.write(tmp_path / "images/a.png", np.full((2, 3, 3), 7, np.uint8))
    made.write(tmp_path / "labels/a.png", np.arange(6, dtype=np.uint8).reshape(2, 3))
    files = FolderSource(tmp_path / "images", tmp_path / "labels")
    source = Inputs(preprocessing=lambda image: image + 1).read(files)
    image, label = source[0]
    assert (image == 8).all() and label.tolist() == source.label(0).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(source) == 1 and source.name(0) == "a" and source.pairs == files.pairs
