"""What `dataset inspect` finds out about image files stands in the description, which then reads them so."""

import cv2
import made_tagged
import numpy as np
import pytest

from segnet_hpu.data.datasets import open_dataset
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.inspection.describe import inspect_folder

LABEL = np.kron(np.random.default_rng(0).integers(0, 2, (4, 6)), np.ones((6, 6), int)).astype(np.uint8)
BGR = np.dstack([LABEL * 90 + 60] * 3)


@pytest.fixture
def described(tmp_path):
    """Write images (files' bytes or pixels) and labels, inspect them; returns the source and what is odd."""

    def run(images, labels):
        for i, (image, label) in enumerate(zip(images, labels, strict=True)):
            for kind, content in (("images", image), ("labels", label)):
                (tmp_path / kind).mkdir(exist_ok=True)
                data = content if isinstance(content, bytes) else cv2.imencode(".png", content)[1].tobytes()
                (tmp_path / f"{kind}/{i}.png").write_bytes(data)
        found = inspect_folder(str(tmp_path), ".")
        (tmp_path / "found.yaml").write_text(found.text())
        return open_dataset(str(tmp_path / "found.yaml"), None, "train"), "\n".join(found.oddities)

    return run


@pytest.mark.parametrize("orientation,label", [("upright", np.rot90(LABEL, -1)), ("as_stored", LABEL)])
def test_orientation_is_told_by_the_labels_sizes(described, orientation, label):
    source, odd = described([made_tagged.png(BGR, 6)] * 2, [label] * 2)
    assert source.coding == ImageCoding(orientation)
    np.testing.assert_array_equal(source[0].image[..., 0] > 100, source[0].label)
    assert "2 images have an orientation tag" in odd


def test_labels_of_both_kinds_are_told(described):
    source, odd = described([made_tagged.png(BGR, 6)] * 3, [LABEL, LABEL, np.rot90(LABEL, -1)])
    assert source.coding == ImageCoding()
    assert "1 labels lie over upright images, 2 over the pixels as they are stored" in odd


@pytest.mark.parametrize("factor,expected", [(4, (0, 1023)), (16, (0, 4095)), (64, (0, 16383)), (257, None)])
def test_range_is_told_by_all_files_together(described, factor, expected):
    source, odd = described([BGR.astype(np.uint16) * factor, BGR.astype(np.uint16) * factor // 2], [LABEL] * 2)
    assert source.coding.image_range == expected and ("image_range" in odd) == bool(expected)
    white = expected[1] if expected else 65535
    np.testing.assert_allclose(source[0].image, BGR * (factor * 255 / white), atol=1)


def test_a_bright_border_does_not_hide_the_range(described):
    deep = BGR.astype(np.uint16) * 16
    deep[:2] = 65535
    source, odd = described([deep] * 2, [LABEL] * 2)
    assert source.coding.image_range == (0, 4095) and "up to 2400 in 16 bits" in odd
    np.testing.assert_allclose(source[0].image[2:], BGR[2:] * (16 * 255 / 4095), atol=1)


def test_dark_files_among_others_are_read_alike(described):
    source, odd = described([BGR.astype(np.uint16) * 257, BGR.astype(np.uint16) * 9], [LABEL] * 2)
    assert "1 of 2 images of more than 8 bits hold values of fewer bits, such as " in odd
    assert "1.png up to 1350" in odd
    assert source.coding.image_range == (0, 65535)
    assert source[0].image.max() == 150 and source[1].image.max() == 5
