import numpy as np
import pytest

from segnet_hpu.data.augmentation import Augmentation, augmentations
from segnet_hpu.data.preprocessing import TrainTransform
from segnet_hpu.errors import UsageError

SIZE = (60, 80)


def changed(text, label_size=SIZE, channels=3, n=60):
    """(where the image was changed, the label) of n samples, an even image of one class 4."""
    transform = TrainTransform(SIZE, label_size, Augmentation.parse(text), channels=channels)
    image, label = np.full((*SIZE, channels), 90, np.uint8), np.full(SIZE, 4, np.uint8)
    for seed in range(n):
        out, mask = transform(image, label, np.random.default_rng(seed))
        yield (out != 90).any(axis=2), mask


def bounds(mask):
    rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
    return (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)


def test_a_rectangle_of_at_most_that_side_is_noise_and_labels_stay():
    sides = []
    for erased, label in changed("none,cutout=1:0.5"):
        assert (label == 4).all()
        if not erased.any():  # a side of less than half a pixel
            continue
        (top, bottom), (left, right) = bounds(erased)
        assert erased[top:bottom, left:right].mean() > 0.95  # noise is 90 in all three channels almost never
        sides += [(bottom - top) / SIZE[0], (right - left) / SIZE[1]]
    assert len(sides) > 110 and max(sides) <= 0.52 and max(sides) > 0.45 and min(sides) < 0.1


@pytest.mark.parametrize("channels", [3, 6, 1])
def test_what_is_erased_can_be_void(channels):
    for erased, label in changed("none,cutout=1:0.5,cutout_void=true", channels=channels):
        if not erased.any():
            assert (label == 4).all()
            continue
        (top, bottom), (left, right) = bounds(label == 255)
        assert (label[top:bottom, left:right] == 255).all() and set(np.unique(label)) == {4, 255}
        assert not erased[label == 4].any() and erased[label == 255].mean() > 0.9


def test_a_smaller_label_is_void_at_the_same_place():
    for erased, label in changed("none,cutout=1:0.5,cutout_void=true", (30, 40)):
        if (label == 255).any():
            ends = np.array(bounds(erased)) - 2 * np.array(bounds(label == 255))
            assert np.abs(ends).max() <= 2


def test_it_happens_as_often_as_it_says():
    happened = sum(erased.any() for erased, _ in changed("none,cutout=0.3:0.5", n=300))
    assert 60 < happened < 120  # 4 standard deviations


def test_options():
    made = augmentations.make({"name": "standard", "cutout": [0.5, 0.2], "cutout_void": True})
    assert made == Augmentation.parse("standard,cutout=0.5:0.2,cutout_void=yes")
    with pytest.raises(UsageError, match="augmentation cutout is .*; expected two numbers from 0 to 1"):
        Augmentation(cutout=(0.5, 1.5))
