import numpy as np
import pytest

from segnet_hpu.data import photometric
from segnet_hpu.data.augmentation import Augmentation, augmentations
from segnet_hpu.errors import UsageError

SHADES = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)  # (1, 256, 3)


def exponents(augmentation, n=200):
    """The powers that n samples were raised to, read from mid-grey."""
    changed = [photometric.change(SHADES.copy(), augmentation, np.random.default_rng(seed)) for seed in range(n)]
    return np.log([shades[0, 128, 0] / 255 for shades in changed]) / np.log(128 / 255), changed


def test_values_are_raised_to_a_power_within_its_range():
    powers, changed = exponents(Augmentation(gamma=0.25))
    assert 0.79 < powers.min() < 0.83 and 1.2 < powers.max() < 1.26
    assert np.median(powers) == pytest.approx(1, abs=0.04)  # log-uniform: as often above as below
    for power, shades in zip(powers, changed, strict=True):
        np.testing.assert_allclose(shades, 255 * (SHADES / 255.0) ** power, atol=1.5)
        assert shades[0, 0, 0] == 0 and shades[0, 255, 0] == 255


def test_it_is_a_change_to_any_preset():
    changed = augmentations.make("standard,gamma=0.3")
    assert changed.gamma == 0.3 and changed.flip == Augmentation.preset("standard").flip
    assert augmentations.make({"name": "standard", "gamma": 0.3}) == changed != augmentations.make("standard")


def test_without_it_no_number_is_drawn():
    rng = np.random.default_rng(3)
    photometric.change(SHADES.copy(), Augmentation(), rng)
    assert rng.random() == np.random.default_rng(3).random()


def test_refusal():
    with pytest.raises(UsageError, match="augmentation gamma is -0.5; expected a number of at least 0"):
        Augmentation(gamma=-0.5)
