"""Images and labels stay together, whatever happens to them."""

import colorsys
import dataclasses

import cv2
import numpy as np
import pytest

from segnet_hpu.data import geometry, photometric
from segnet_hpu.data.augmentation import PRESETS, Augmentation
from segnet_hpu.data.preprocessing import EvalTransform, TrainTransform
from segnet_hpu.data.transforms.colour import recolour
from segnet_hpu.errors import UsageError

GEOMETRIC = Augmentation(flip=0.5, vertical_flip=0.5, scale=(0.5, 2.0), shift=0.3, rotate=40)


def blocks(height=120, width=160, seed=0):
    """A picture whose red value is 20 times the label, in large blocks."""
    coarse = np.random.default_rng(seed).integers(0, 12, (6, 8), np.uint8)
    label = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.dstack([label * 20, np.full_like(label, 90), 255 - label * 20]), label


def inside(label):
    """Where all neighbours within two pixels have the same label: away from blended borders."""
    label = cv2.copyMakeBorder(label, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=255)
    kernel = np.ones((5, 5), np.uint8)
    same = cv2.erode(label, kernel) == cv2.dilate(label, kernel)
    return (same & (label != 255))[2:-2, 2:-2]


@pytest.mark.parametrize("augmentation", [GEOMETRIC, *map(PRESETS.get, ("none", "flip", "aug_geometric"))])
@pytest.mark.parametrize("label_size", [(192, 384), (96, 192)])
def test_labels_stay_on_their_pixels(augmentation, label_size):
    image, label = blocks()
    transform = TrainTransform((192, 384), label_size, augmentation)
    for seed in range(25):
        out, mask = transform(image, label, np.random.default_rng(seed))
        assert out.shape == (192, 384, 3) and mask.shape == label_size and out.dtype == mask.dtype == np.uint8
        red = cv2.resize(out[:, :, 0], label_size[::-1], interpolation=cv2.INTER_AREA)
        sure = inside(mask)
        assert sure.sum() > 100
        np.testing.assert_allclose(red[sure], mask[sure] * 20.0, atol=2)


@pytest.mark.parametrize("name", PRESETS)
def test_no_preset_invents_a_label(name):
    image, label = blocks()
    label[label > 5] = 3
    transform = TrainTransform((100, 130), (50, 65), Augmentation.preset(name))
    found = set()
    for seed in range(20):
        found |= set(np.unique(transform(image, label, np.random.default_rng(seed))[1]))
    assert found - {255} <= set(np.unique(label)) and 3 in found


@pytest.mark.parametrize("size", [(90, 120), (360, 480), (60, 81), (320, 640), (500, 333)])
def test_warp_without_change_is_aligned_as_resize_is(size):
    y, x = np.mgrid[:180, :240]
    image = np.dstack([x, y, (x + y) / 2]).astype(np.uint8)  # a ramp: a shift shows as a difference in value
    warped, _ = geometry.warp(image, image[:, :, 0], np.eye(3), size, (9, 9), 255)
    border = 4
    middle = (slice(border, -border), slice(border, -border))
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR)
    assert np.abs(warped[middle].astype(int) - expected[middle]).max() <= 1


@pytest.mark.parametrize("size", [(40, 32), (240, 480)])  # no centre falls between two pixels
def test_a_label_is_read_at_its_pixels_centre(size):
    label = np.random.default_rng(0).integers(0, 12, (120, 160), np.uint8)
    label = cv2.resize(label[:24, :32], (160, 120), interpolation=cv2.INTER_NEAREST)
    _, warped = geometry.warp(np.zeros((120, 160, 3), np.uint8), label, np.eye(3), (10, 10), size, 255)
    rows = ((np.arange(size[0]) + 0.5) * 120 / size[0]).astype(int)
    columns = ((np.arange(size[1]) + 0.5) * 160 / size[1]).astype(int)
    np.testing.assert_array_equal(warped, label[rows][:, columns])
    _, mask = TrainTransform((40, 32), size)(np.zeros((120, 160, 3), np.uint8), label, np.random.default_rng(0))
    np.testing.assert_array_equal(mask, warped)


def test_outside_is_ignored_and_nothing_else():
    image, label = np.full((100, 200, 3), 7, np.uint8), np.full((100, 200), 4, np.uint8)
    matrix = np.array([[1.0, 0, 50], [0, 1, 0], [0, 0, 1]])  # to the right by a quarter of the width
    _, mask = geometry.warp(image, label, matrix, (100, 200), (50, 100), 255)
    assert (mask[:, :25] == 255).all() and (mask[:, 25:] == 4).all()


def test_flip_happens_about_half_the_time_and_only_flips():
    image, label = blocks(96, 192)
    transform = TrainTransform((96, 192), (96, 192), Augmentation.preset("flip"))
    flips = 0
    for seed in range(400):
        _, mask = transform(image, label, np.random.default_rng([0, 0, seed]))
        flips += np.array_equal(mask, label[:, ::-1])
        assert np.array_equal(mask, label) or np.array_equal(mask, label[:, ::-1])
    assert 160 < flips < 240  # 4 standard deviations


def test_zoom_keeps_its_window_inside_and_rotation_its_angle():
    corners = np.array([[0, 0, 1], [200, 0, 1], [0, 100, 1], [200, 100, 1]]).T
    zooming, turning = Augmentation(scale=(1.0, 2.0)), Augmentation(rotate=30)
    zooms = []
    for seed in range(200):
        matrix = geometry.random_matrix(zooming, np.random.default_rng(seed), (100, 200))
        x, y = (matrix @ corners)[:2]
        assert x.min() <= 1e-9 and y.min() <= 1e-9 and x.max() >= 200 - 1e-9 and y.max() >= 100 - 1e-9
        zooms.append((x.max() - x.min()) / 200)
        turned = geometry.random_matrix(turning, np.random.default_rng(seed), (100, 200))
        assert abs(np.degrees(np.arctan2(turned[1, 0], turned[0, 0]))) <= 30
        assert np.linalg.det(turned) == pytest.approx(1)
        np.testing.assert_allclose((turned @ [100, 50, 1])[:2], [100, 50])  # about the middle
    assert 1.35 < np.median(zooms) < 1.5  # log-uniform: the median is the square root of 2


@pytest.mark.parametrize("ignore, expected", [(11, {3, 5, 255}), (0, {3, 5, 11}), (255, {3, 5, 11}),
                                              (-1, {3, 5, 11}), (300, {3, 5, 11}), (None, {3, 5, 11})])
def test_ignore_label_becomes_255(ignore, expected):
    label = np.array([[3, 5, 11, 11]] * 4, np.uint8)
    transform = TrainTransform((4, 4), (4, 4), ignore_label=ignore)
    _, mask = transform(np.zeros((4, 4, 3), np.uint8), label, np.random.default_rng(0))
    assert set(np.unique(mask)) == expected


def test_recolour_matches_its_formulas():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    changed = recolour(image.copy(), brightness=0.1, contrast=1.3)
    exact = np.clip((image - 127.5) * 1.3 + 127.5 + 25.5, 0, 255)
    assert np.abs(changed - exact).max() <= 0.5 + 1e-6
    grey = recolour(image.copy(), saturation=0.0)
    np.testing.assert_allclose(grey[:, :, 0], image @ [0.299, 0.587, 0.114], atol=1)
    assert np.ptp(grey.astype(int), axis=2).max() <= 1
    shades = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    np.testing.assert_allclose(recolour(shades.copy(), hue=70, saturation=1.5), shades, atol=1)


def test_hue_turns_the_colour_circle():
    red = np.full((1, 1, 3), (150, 100, 100), np.uint8)
    turns = [recolour(red.copy(), hue=h)[0, 0] / 255 for h in (0, 30, 60, 120)]
    angles = [colorsys.rgb_to_hsv(*t)[0] * 360 for t in turns]
    steps = np.mod(np.diff(angles) + 180, 360) - 180
    assert (np.sign(steps) == np.sign(steps[0])).all() and abs(steps.sum()) == pytest.approx(120, abs=15)


@pytest.mark.parametrize("field", [dict(blur=(1.0, 3.0)), dict(noise=(1.0, 20.0)), dict(clahe=1.0),
                                   dict(brightness=0.5), dict(hue=90, saturation=0.5)])
def test_photometric_changes_in_place_what_a_copy_would_get(field):
    smooth = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8), (0, 0), 3)
    batch = np.stack([smooth, smooth])
    changed = photometric.change(batch[1], Augmentation(**field), np.random.default_rng(4))
    apart = photometric.change(smooth.copy(), Augmentation(**field), np.random.default_rng(4))
    assert np.shares_memory(changed, batch)
    np.testing.assert_array_equal(batch[1], apart)
    np.testing.assert_array_equal(batch[0], smooth)
    assert not np.array_equal(batch[1], smooth)


def test_noise_and_blur_have_the_strength_they_name():
    flat = np.full((200, 200, 3), 128, np.uint8)
    noisy = Augmentation(noise=(1.0, 20.0))
    spread = [np.std(photometric.change(flat.copy(), noisy, np.random.default_rng(s))) for s in range(30)]
    assert max(spread) < 21 and np.mean(spread) == pytest.approx(10, abs=4)
    point = np.zeros((41, 41, 3), np.uint8)
    point[20, 20] = 255
    blurred = photometric.change(point.copy(), Augmentation(blur=(1.0, 2.0)), np.random.default_rng(1))
    assert blurred[20, 20, 0] < 255 and blurred[20, :10].max() == 0


def test_clahe_works_on_lightness_alone():
    image = np.random.default_rng(0).integers(60, 120, (64, 64, 3), np.uint8)
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    lab[:, :, 0] = cv2.createCLAHE(1.0, (8, 8)).apply(np.ascontiguousarray(lab[:, :, 0]))
    expected = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    np.testing.assert_array_equal(EvalTransform((64, 64), clahe=True)(image), expected)


def test_eval_transform_only_resizes():
    image, _ = blocks()
    np.testing.assert_array_equal(EvalTransform((96, 192), downsampling="bilinear")(image),
                                  cv2.resize(image, (192, 96)))
    np.testing.assert_array_equal(EvalTransform((192, 240))(image), cv2.resize(image, (240, 192)))


def test_custom_function_comes_first_and_cannot_spoil_the_source():
    image, label = blocks(96, 96)
    kept = image.copy(), label.copy()

    def paint(image, mask):
        image[:], mask[:] = 200, 9
        return image, mask

    out, mask = TrainTransform((48, 48), (24, 24), custom=paint)(image, label, np.random.default_rng(0))
    assert (out == 200).all() and (mask == 9).all()
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(label, kept[1])


def test_a_custom_function_whose_mask_holds_ids_of_no_class():
    """As of a mask that is resized with interpolation: refused, but for what is void and what the label had."""
    image, label = blocks(96, 96)
    label[:] = np.where(label > 1, 1, 0)
    label[0, 0] = 7

    def custom(value):
        def paint(image, mask):
            mask[2, 2] = value
            return image, mask
        return paint

    def transformed(value, n_classes=3):
        transform = TrainTransform((48, 48), (96, 96), ignore_label=9, custom=custom(value), n_classes=n_classes)
        return int(transform(image, label, np.random.default_rng(0)).label[2, 2])

    assert [transformed(value) for value in (2, 255, 9, 7)] == [2, 255, 255, 7]
    assert transformed(100, n_classes=None) == 100
    with pytest.raises(UsageError, match=r"augmentation paint: .* ids outside 0\.\.2: 100; .*nearest neighbour"):
        transformed(100)


@pytest.mark.parametrize("call, words", [
    (lambda: Augmentation.preset("aug_al"), "Did you mean aug_all"),
    (lambda: Augmentation(flip=1.5), "flip is 1.5"),
    (lambda: Augmentation(rotate=-3), "rotate is -3"),
    (lambda: Augmentation(scale=(0, 1)), "scale is"),
    (lambda: Augmentation(scale=(2.0, 1.0)), "scale is"),
    (lambda: Augmentation(blur=(2, 1)), "blur probability is 2"),
    (lambda: Augmentation(noise=(0.5, -1)), "sigma"),
])
def test_refusals(call, words):
    with pytest.raises(UsageError, match=words):
        call()


@pytest.mark.parametrize("channels,pictures", [(6, 2), (1, 1), (2, 2)])
def test_all_pictures_of_a_stack_change_alike(channels, pictures):
    """Two RGB pictures, one grey picture, two grey ones: equal before and after; grey stays within its channel."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (40, 60, channels // pictures), np.uint8)
    stack, label = np.concatenate([picture] * pictures, axis=2), np.zeros((40, 60), np.uint8)
    augmentation = dataclasses.replace(Augmentation.preset("strong"), clahe=1.0)
    out = np.empty((32, 48, channels), np.uint8), np.empty((16, 24), np.uint8)
    transform = TrainTransform((32, 48), (16, 24), augmentation, channels=channels)
    changed, _ = transform(stack, label, np.random.default_rng(1), out)
    assert changed is out[0] and changed.std() > 0
    for one in np.split(changed, pictures, axis=2):
        np.testing.assert_array_equal(one, changed[:, :, :channels // pictures])
    plain = TrainTransform((32, 48), (16, 24), channels=channels)(stack, label, np.random.default_rng(1)).image
    assert plain.shape == changed.shape and not np.array_equal(plain, changed)
    assert EvalTransform((32, 48), clahe=True, channels=channels)(stack).shape == changed.shape
