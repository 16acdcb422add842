"""The Tversky loss against its formula, and against dice."""

import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.objectives.losses import make_loss


def test_errors_have_their_prices():
    """Hand-worked: truth 0 0 0 1, answer 0 0 1 1: one pixel of class 0 is missed, and wrongly taken for class 1."""
    truth, answer = np.array([[[0, 0, 0, 1]]]), np.array([[[0, 0, 1, 1]]])
    logits = 100.0 * np.eye(2, dtype="float32")[answer]
    loss = make_loss("tversky", false_positives=0.25, false_negatives=4.0)
    assert float(loss(truth, logits)) == pytest.approx(1 - (2 / (2 + 4) + 1 / (1 + 0.25)) / 2, rel=1e-6)


def test_halves_make_it_dice_and_void_counts_for_nothing():
    rng = np.random.default_rng(1)
    truth, logits = rng.integers(0, 3, (2, 4, 5)).astype("uint8"), rng.normal(0, 2, (2, 4, 5, 3)).astype("float32")
    truth[0, :2] = 255
    even = make_loss("tversky", false_positives=0.5, false_negatives=0.5)
    np.testing.assert_allclose(even.call(truth, logits), make_loss("dice", smooth=0.0).call(truth, logits), rtol=1e-6)
    assert float(even(np.full_like(truth, 255), logits)) == 0
    with pytest.raises(UsageError, match="false_positives is 0.0; expected a number above 0"):
        make_loss("tversky", false_positives=0)
