"""Resizing and warping against area and centre sampling, computed exactly."""

import cv2
import numpy as np
import pytest

from segnet_hpu.data import geometry
from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.geometry import Downsampling
from segnet_hpu.data.preprocessing import EvalTransform, TrainTransform
from segnet_hpu.models.trained_model import InputCoding

SOURCE = (90, 120)
SMALLER = [(45, 60), (30, 40), (15, 20), (64, 96), (37, 53), (89, 119), (1, 7), (90, 60)]


def shares(old, new):
    """How much of each new pixel, a row each, every old one is."""
    edges = np.arange(new + 1) * old / new
    overlap = np.minimum(edges[1:, None], np.arange(1, old + 1)) - np.maximum(edges[:-1, None], np.arange(old))
    return np.maximum(overlap, 0) * new / old


def averaged(values, size):
    rows, columns = shares(values.shape[0], size[0]), shares(values.shape[1], size[1])
    return np.einsum("ik,k...->i...", rows, np.einsum("jl,kl...->kj...", columns, values.astype(float)))


def noise(channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*SOURCE, channels), np.uint8)


def classes(seed=0):
    return np.random.default_rng(seed).choice(np.array([0, 0, 0, 1, 2, 255], np.uint8), SOURCE)


@pytest.mark.parametrize("size", SMALLER)
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_a_smaller_image_is_the_mean_of_what_its_pixels_cover(size, channels):
    image = noise(channels)
    expected = averaged(image, size)
    resized = EvalTransform(size, channels=channels)(image)
    assert np.abs(resized - expected).max() <= 0.51
    trained, _ = TrainTransform(size, (5, 5), channels=channels)(image, classes(), np.random.default_rng(0))
    np.testing.assert_array_equal(trained, resized)  # training and prediction see the same
    warped, _ = geometry.warp(image, classes(), np.eye(3), size, (5, 5), 255)
    np.testing.assert_array_equal(np.atleast_3d(warped), resized)


def test_one_axis_shrinks_while_the_other_grows():
    image = noise()
    expected = cv2.resize(averaged(image, (45, 120)).astype(np.float32), (240, 45))
    assert np.abs(geometry.resize_image(image, (45, 240)) - expected).max() <= 1.01


@pytest.mark.parametrize("size", [*SMALLER, (180, 240), (91, 200)])
def test_a_label_is_read_at_centres_by_resize_and_by_warp(size):
    label = classes()
    rows, columns = ((np.arange(n) + 0.5) * old / n for n, old in zip(size, SOURCE, strict=True))
    expected = label[rows.astype(int)][:, columns.astype(int)]
    np.testing.assert_array_equal(geometry.resize_label(label, size), expected)
    _, warped = geometry.warp(noise(), label, np.eye(3), (9, 9), size, 255)
    np.testing.assert_array_equal(warped, expected)
    mirrored = np.array([[-1.0, 0, SOURCE[1]], [0, 1, 0], [0, 0, 1]])
    _, warped = geometry.warp(noise(), label, mirrored, (9, 9), size, 255)
    mirror = SOURCE[1] - columns
    np.testing.assert_array_equal(warped, label[rows.astype(int)][:, mirror.astype(int)])


@pytest.mark.parametrize("size", SMALLER)
def test_the_majority_of_what_a_pixel_covers(size):
    label = classes()
    counts = {c: (label == c).sum() for c in (0, 1, 2, 255)}
    order = sorted(counts, key=counts.get)  # of equal shares the rarer class's
    covered = np.array([averaged(label == c, size) for c in order])
    expected = np.array(order)[np.argmax(covered > covered.max(axis=0) - 1e-4, axis=0)]
    np.testing.assert_array_equal(geometry.resize_label(label, size, "majority"), expected)
    _, warped = geometry.warp(noise(), label, np.eye(3), (9, 9), size, 255,
                              downsampling=Downsampling("area", "majority"))
    np.testing.assert_array_equal(warped, expected)
    assert geometry.resize_label(label, (180, 240), "majority").shape == (180, 240)


def test_a_line_of_one_pixel_is_kept_where_the_majority_ties():
    label = np.zeros((40, 40), np.uint8)
    label[:, 11] = 1
    assert (geometry.resize_label(label, (20, 20), "majority")[:, 5] == 1).all()


@pytest.mark.parametrize("zoom,angle", [(0.4, 0), (0.5, 30), (1.0, 45)])
def test_a_warp_that_shrinks_averages_too(zoom, angle):
    """Stripes of one pixel become grey, not the stripes of another width that sampling would make of them."""
    image = np.zeros((*SOURCE, 3), np.uint8)
    image[:, ::2] = 255
    turn = np.deg2rad(angle)
    matrix = np.eye(3)
    matrix[:2, :2] = zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix[:2, 2] = np.array([60, 45]) - matrix[:2, :2] @ [60, 45]
    middle = np.s_[12:18, 16:24]

    def spread(how):
        warped, _ = geometry.warp(image, classes(), matrix, (30, 40), (9, 9), 255, downsampling=Downsampling(how))
        return np.abs(warped[middle].astype(int) - 127).max()

    assert spread("area") <= 45 < spread("bilinear")


@pytest.mark.parametrize("seed", range(4))
def test_image_and_label_stay_together_while_they_shrink(seed):
    """The image's value is its label's: the two centres of mass of a changed blob are one."""
    label = np.zeros((240, 320), np.uint8)
    cv2.ellipse(label, (150, 130), (70, 40), 20, 0, 360, 1, -1)
    image = np.repeat(label[:, :, None] * 200, 3, axis=2)
    augmentation = Augmentation(flip=0.5, scale=(0.6, 1.0), rotate=20)
    for how in (Downsampling(), Downsampling("area", "majority"), Downsampling("bilinear")):
        transform = TrainTransform((60, 80), (60, 80), augmentation, ignore_label=255, downsampling=how)
        out, mask = transform(image, label, np.random.default_rng(seed))
        inside = mask == 1
        y, x = np.mgrid[:60, :80]
        weight = np.where(mask == 255, 0, out[:, :, 0].astype(float))
        for axis in (y, x):
            assert axis[inside].mean() == pytest.approx((axis * weight).sum() / weight.sum(), abs=0.15)


def test_a_checkpoint_that_says_nothing_of_it_predicts_as_before():
    assert InputCoding().downsampling == "bilinear"
    image = noise()
    np.testing.assert_array_equal(EvalTransform((40, 50), downsampling=InputCoding().downsampling)(image),
                                  cv2.resize(image, (50, 40)))
