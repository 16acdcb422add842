"""The loader feeding a Keras model."""

import numpy as np
import pytest

from segnet_hpu.data.loader import Loader
from segnet_hpu.data.sampling import Once, Stream
from segnet_hpu.data.transforms import TrainTransform

keras = pytest.importorskip("keras")


class Bright:
    """Ten images whose class, 0 or 1, is whether they are bright."""

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return np.full((8, 12, 3), 40 + 170 * (i % 2), np.uint8), np.full((8, 12), i % 2, np.uint8)


def dataset(sampler, start=0):
    from segnet_hpu.training.dataset import BatchDataset

    return BatchDataset(Loader(Bright(), sampler, TrainTransform((8, 12), (8, 12)), threads=2), start)


def test_fit_learns_from_the_stream_and_judges_on_the_rest():
    model = keras.Sequential([keras.Input((8, 12, 3)), keras.layers.Rescaling(1 / 127.5, -1),
                              keras.layers.Conv2D(2, 1)])
    model.compile(keras.optimizers.Adam(0.1), metrics=["accuracy"],
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(dataset(Stream(10, 4, seed=0)), steps_per_epoch=10, epochs=3, verbose=0,
                        shuffle=False, validation_data=dataset(Once(10, 5)))
    assert history.history["val_accuracy"][-1] == 1.0
    assert model.predict(dataset(Once(10, 5)), verbose=0).shape == (10, 8, 12, 2)


def test_items_are_the_loaders_batches_in_any_order_of_asking():
    data = dataset(Stream(10, 4, seed=0), start=7)
    for i in (0, 1, 0, 1, 2, 5, 3):
        for got, expected in zip(data[i], data.loader.batch(7 + i), strict=True):
            np.testing.assert_array_equal(got, expected)
    assert data.num_batches is None
    assert dataset(Once(10, 4), start=1).num_batches == 2
