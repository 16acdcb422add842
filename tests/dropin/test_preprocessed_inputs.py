"""Images that go through a function first."""

import numpy as np

import made_datasets as made
from segnet_hpu.compat.keras_segmentation import inputs
from segnet_hpu.compat.keras_segmentation.arrays import read_picture
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.data.loader import Loader
from segnet_hpu.data.preprocessing import TrainTransform
from segnet_hpu.data.sampling import Stream
from segnet_hpu.data.source import FolderSource


def test_a_function_changes_images_and_nothing_else(tmp_path):
    made.write(tmp_path / "images/a.png", np.full((2, 3, 3), 7, np.uint8))
    made.write(tmp_path / "labels/a.png", np.arange(6, dtype=np.uint8).reshape(2, 3))
    files = FolderSource(tmp_path / "images", tmp_path / "labels")
    source = Inputs(preprocessing=lambda image: image + 1).read(files)
    image, label = source[0]
    assert (image == 8).all() and label.tolist() == source.label(0).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert len(source) == 1 and source.name(0) == "a" and source.pairs == files.pairs


def test_a_random_function_is_drawn_anew_each_time_and_files_are_read_once(tmp_path, monkeypatch):
    made.write(tmp_path / "images/a.png", np.full((2, 3, 3), 7, np.uint8))
    made.write(tmp_path / "labels/a.png", np.zeros((2, 3), np.uint8))
    rng, read = np.random.default_rng(0), []
    source = Inputs(preprocessing=lambda image: image + rng.integers(1, 200, dtype=np.uint8)).read(
        FolderSource(tmp_path / "images", tmp_path / "labels"))
    monkeypatch.setattr(inputs, "read_picture", lambda *args: read.append(args) or read_picture(*args))
    loader = Loader(source, Stream(1, 1), TrainTransform((2, 3), (2, 3)), cache_bytes=1000)
    values = [int(images[0, 0, 0, 0]) for images, _ in loader.iterate(0, 6)]
    assert len(set(values)) == 6
    assert len(read) < 6
