import numpy as np
import pytest

from segnet_hpu.data.source import FolderSource
from segnet_hpu.data.stats import count_labels, median_frequency_weights
from segnet_hpu.errors import UsageError


class Labels(list):
    """A source of labels only."""

    def label(self, i):
        return np.array(self[i], np.uint8)

    def name(self, i):
        return f"label{i}"


HAND = Labels([[[0, 0, 0, 1]], [[0, 2, 2, 255]]])


def test_counts_and_pixels_of_the_labels_that_hold_a_class():
    found = count_labels(HAND, 4, 255)
    assert found.pixels.tolist() == [4, 1, 2, 0, 1] and found.labelled[:-1].tolist() == [7, 4, 3, 0]
    assert found.pixels.dtype == found.labelled.dtype == np.int64


def test_weights_worked_by_hand():
    # Frequencies 4/7, 1/4, 2/3: the median is 4/7; class 3 is absent.
    weights = median_frequency_weights(HAND, 4, 255)
    np.testing.assert_allclose(weights, [1, 16 / 7, 6 / 7, 0], rtol=1e-6)
    assert weights.dtype == np.float32


def test_all_ignored_gives_no_weight():
    assert median_frequency_weights(Labels([[[255, 255]]]), 2, 255).tolist() == [0, 0]


def test_ignored_class_inside_the_range():
    found = count_labels(Labels([[[0, 0, 1, 2]]]), 3, 1)
    assert found.pixels.tolist() == [2, 0, 1, 1] and found.labelled[:-1].tolist() == [3, 0, 3]


def test_with_any_ignored_id_255_is_void_too():
    assert count_labels(Labels([[[0, 2, 11, 255]], [[255, 1, 1, 1]]]), 3, 11).pixels.tolist() == [1, 3, 1, 3]


def test_id_outside_the_classes_names_the_label():
    with pytest.raises(UsageError, match="label1 holds id 255; expected 0..3"):
        count_labels(HAND, 4)


def test_camvid_weights_as_published_with_segnet(real_data):
    source = FolderSource(real_data / "camvid/train", real_data / "camvid/trainannot")
    published = np.array([0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478,
                          7.3614])
    # The published ones count void as a class; sign_symbol is another 2.7 times rarer in its labels.
    with_void = median_frequency_weights(source, 12)[:11] / published
    others = np.arange(11) != 6
    np.testing.assert_allclose(with_void[others], 1, atol=0.11)
    void_ignored = median_frequency_weights(source, 11, 11) / published
    assert ((void_ignored[others] > 1) & (void_ignored[others] < 1.2)).all()
    assert void_ignored[6] == pytest.approx(0.4, abs=0.01)
