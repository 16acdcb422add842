"""PBM, PGM and PPM files of all ranges: images are stretched to 8 bits, labels are the numbers that are stored."""

import numpy as np
import pytest

from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.errors import UsageError

RNG = np.random.default_rng(0)


def pnm(values, highest, text, comment=b""):
    """A grey (H, W) or RGB (H, W, 3) file's bytes."""
    kind = (2 if text else 5) + (values.ndim == 3)
    head = b"P%d %s\n%d %d\n%d\n" % (kind, comment, values.shape[1], values.shape[0], highest)
    body = " ".join(map(str, values.ravel())).encode() + b"\n" if text else values.astype(
        ">u2" if highest > 255 else np.uint8).tobytes()
    return head + body


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.pgm"


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("highest", [1, 3, 15, 100, 255, 256, 1000, 1023, 4095])
@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3)])
def test_images_are_stretched_to_what_the_file_calls_white(path, text, highest, shape):
    values = RNG.integers(0, highest + 1, shape)
    path.write_bytes(pnm(values, highest, text, b"# by hand\n"))
    expected = np.rint(values * 255 / highest)
    image = read_image(path)
    np.testing.assert_array_equal(image, expected if values.ndim == 3 else np.dstack([expected] * 3))
    assert image.dtype == np.uint8


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize("highest", [3, 15, 100, 255, 1000])
def test_labels_are_what_is_stored(path, text, highest):
    ids = RNG.integers(0, 4, (6, 7))
    path.write_bytes(pnm(ids, highest, text))
    np.testing.assert_array_equal(read_label(path), ids)


def test_16_bits_are_read_as_those_of_png(path):
    values = RNG.integers(0, 1 << 16, (6, 7))
    path.write_bytes(pnm(values, 65535, False))
    np.testing.assert_array_equal(read_image(path, channels=1)[..., 0], values >> 8)
    path.write_bytes(pnm(values // 256, 65535, False))
    with pytest.raises(UsageError, match="in 16 bits and would be almost black"):
        read_image(path)


def test_a_range_that_is_said_wins(path):
    values = RNG.integers(0, 1001, (6, 7))
    path.write_bytes(pnm(values, 1000, False))
    image = read_image(path, channels=1, coding=ImageCoding(image_range=(0, 500)))
    np.testing.assert_array_equal(image[..., 0], np.rint(np.minimum(values, 500) * 255 / 500))


@pytest.mark.parametrize("head, raster", [(b"P5 4 2 255\n", bytes(8)), (b"P5 4 2 1000\n", bytes(16)),
                                          (b"P6 4 2 255\n", bytes(24)), (b"P4 4 2\n", bytes(2))])
def test_files_of_several_pictures_are_refused(path, head, raster):
    path.write_bytes(head + raster)
    assert read_image(path).shape == (2, 4, 3)
    path.write_bytes((head + raster) * 2)
    with pytest.raises(UsageError, match="holds 2 pictures"):
        read_image(path)
