"""A survey's figures, by hand and against NumPy on real labels."""

from collections import Counter

import cv2
import numpy as np
import pytest

from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.stats import count_labels
from segnet_hpu.data.summary import summary, table


class Labels(list):
    def label(self, i):
        return np.array(self[i], np.uint8)

    def name(self, i):
        return f"label{i}"


HAND = Labels([[[0, 0, 0, 1]], [[0, 2, 2, 255]], [[255, 255], [255, 255]]])


def test_counts_and_sizes_by_hand():
    found = count_labels(HAND, 4, 255)
    assert found.pixels.tolist() == [4, 1, 2, 0, 5] and found.images.tolist() == [2, 1, 1, 0, 2]
    assert found.sizes == Counter({(1, 4): 2, (2, 2): 1})
    report = summary(found, list("abcd"))
    assert report["images"] == 3 and report["pixels"] == 12
    assert report["void"] == {"pixels": 5, "share": 5 / 12, "images": 2}
    assert report["classes"][2] == {"id": 2, "name": "c", "pixels": 2, "share": 1 / 6, "images": 1, "weight": 0.8571}
    assert report["sizes"] == {"distinct": 2, "most_frequent": [1, 4], "height": {"min": 1, "median": 1.0, "max": 2},
                               "width": {"min": 2, "median": 4.0, "max": 4}}


def test_weights_with_void_as_a_class_by_hand():
    # Frequencies 4/8, 1/4, 2/4 and void 5/8: the median is 1/2.
    np.testing.assert_allclose(count_labels(HAND, 3, 255).weights(count_void=True), [1, 2, 1])


def test_classes_that_do_not_occur_are_trimmed_at_the_end_only():
    found = count_labels(Labels([[[0, 2, 255]]]), 255, 255).trimmed()
    assert found.pixels.tolist() == [1, 0, 1, 1] and found.weights().tolist() == [1, 0, 1]
    assert count_labels(Labels([[[255]]]), 255, 255).trimmed().pixels.tolist() == [0, 1]


def test_table_of_several_sizes():
    lines = table(summary(count_labels(HAND, 3, 255), ["road", "sky", "tree"])).splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["id", "class", "pixels", "%", "images", "weight"], ["0", "road", "33.33", "2", "1"],
        ["1", "sky", "8.33", "1", "2.286"], ["2", "tree", "16.67", "1", "0.8571"], ["void", "41.67", "2"]]
    assert lines[-2:] == ["3 images of 2 sizes: height 1 to 2, median 1; width 2 to 4, median 4",
                          "--class_weights 1,2.286,0.8571"]


@pytest.fixture(scope="module")
def camvid(real_data):
    return open_dataset("camvid", real_data / "camvid", "train")


def test_camvid_as_measured(camvid):
    report = summary(count_labels(camvid, 11, 255), camvid.dataset.class_names)
    assert [round(100 * c["share"], 2) for c in report["classes"]] == [
        16.85, 23.26, 0.98, 31.66, 4.49, 9.72, 1.17, 1.13, 5.87, 0.64, 0.29]
    assert round(100 * report["void"]["share"], 2) == 3.95
    assert report["images"] == 367 and report["sizes"]["most_frequent"] == [360, 480]
    labels = [cv2.imread(label, cv2.IMREAD_UNCHANGED) for _, label in camvid.pairs]
    counts = np.stack([cv2.calcHist([label], [0], None, [12], [0, 12]).ravel() for label in labels], axis=1)
    assert [c["images"] for c in report["classes"]] == (counts[:11] > 0).sum(1).tolist()
    known = 360 * 480 - counts[11]
    frequency = np.array([row.sum() / known[row > 0].sum() for row in counts[:11]])
    np.testing.assert_allclose(report["class_weights"], np.median(frequency) / frequency, rtol=1e-3)
