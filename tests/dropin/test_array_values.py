"""Arrays as pictures and labels: what is not of 0..255, or no class id, is refused instead of brought there."""

import numpy as np
import pytest

from segnet_hpu.compat.keras_segmentation.arrays import read_rgb
from segnet_hpu.compat.keras_segmentation.evaluate import _read_label
from segnet_hpu.data.label_check import LabelCheck
from segnet_hpu.errors import UsageError

PICTURE = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
WRONG = {"16 bits": PICTURE.astype(np.uint16) * 257, "0..1": PICTURE / 255,
         "NaN": np.where(PICTURE > 99, np.nan, 1.0),
         "infinite": np.where(PICTURE > 99, np.inf, 1.0), "negative": -PICTURE.astype(np.int16),
         "16 bits as float": PICTURE * 257.0,
         "truth values": PICTURE > 9}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", WRONG)
def test_pictures_of_other_ranges_are_refused(name):
    with pytest.raises(UsageError, match="expected (numbers from )?0 to 255"):
        read_rgb(WRONG[name])


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint16, np.float32])
def test_pictures_of_any_type_are_read_over_0_to_255(dtype):
    np.testing.assert_array_equal(read_rgb(PICTURE.astype(dtype)), PICTURE[..., ::-1])
    np.testing.assert_array_equal(read_rgb(np.zeros((2, 2, 3), dtype)), 0)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("value", [1.4, np.nan])
def test_labels_are_whole_numbers(value):
    with pytest.raises(UsageError, match=r"annotations\[0\] is a float64 array with values that are not whole"):
        _read_label(np.full((2, 2), value), "annotations[0]", LabelCheck(3, set()))
    np.testing.assert_array_equal(_read_label(np.full((2, 2), 2.0), "annotations[0]", LabelCheck(3, set())), 2)
