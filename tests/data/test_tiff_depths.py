"""TIFF files of 10, 12 and 14 bits, which OpenCV stretches to 16, and those whose zero is white."""

import struct

import made_tagged
import numpy as np
import pytest

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.images import read_image
from segnet_hpu.data.inspection.image_survey import survey_images
from segnet_hpu.data.labels import read_label

GREY = np.random.default_rng(0).integers(0, 256, (16, 16), np.uint8)


def packed(values, bits):
    """Return the bytes of samples that lie bit by bit, as TIFF stores them."""
    text = "".join(format(int(value), f"0{bits}b") for value in values.ravel())
    return np.frombuffer(int(text, 2).to_bytes(len(text) // 8, "big"), np.uint8)


@pytest.fixture
def tiff(tmp_path):
    """Write a grey TIFF of so many bits a sample; returns its path."""

    def write(values, bits, photometric=1):
        data = made_tagged.tiff(packed(values, bits), size=(16, 16), more={262: photometric, 278: 16})
        one = struct.pack("<HHIH", 258, 3, 1, 8)
        data = data.replace(one, struct.pack("<HHIH", 258, 3, 1, bits))
        path = tmp_path / f"{bits}_{photometric}.tif"
        path.write_bytes(data)
        return str(path)

    return write


@pytest.mark.parametrize("bits", [10, 12, 14])
@pytest.mark.parametrize("told", [False, True])
def test_images_are_read_over_their_own_bits(tiff, bits, told):
    path = tiff(GREY.astype(np.uint16) << bits - 8, bits)
    coding = ImageCoding(image_range=(0, (1 << bits) - 1) if told else None)
    np.testing.assert_allclose(read_image(path, 1, coding)[..., 0].astype(int), GREY, atol=1)


def test_a_range_of_more_bits_than_the_file_has_is_refused(tiff):
    with pytest.raises(BadFile, match="12 bits.*--image_range 0-4095"):
        read_image(tiff(GREY.astype(np.uint16) << 4, 12), 1, ImageCoding(image_range=(0, 65535)))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_labels_are_the_numbers_as_stored(tiff, bits):
    np.testing.assert_array_equal(read_label(tiff(GREY % 3, bits)), GREY % 3)


def test_inspection_needs_no_range_for_files_that_tell_their_bits(tiff):
    survey = survey_images([Pair(tiff(GREY.astype(np.uint16) << 2, 12), "label.png")], {})
    assert not survey.bad and survey.coding().image_range is None


def test_inverted_greys_are_no_labels_and_no_deep_images(tiff):
    with pytest.raises(BadFile, match="WhiteIsZero"):
        read_label(tiff(GREY % 3, 8, photometric=0))
    with pytest.raises(BadFile, match="WhiteIsZero"):
        read_image(tiff(GREY.astype(np.uint16) * 257, 16, photometric=0))
    np.testing.assert_array_equal(read_image(tiff(GREY, 8, photometric=0), 1)[..., 0], 255 - GREY)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("read", [read_image, read_label])
def test_bands_one_after_another(tmp_path, dtype, read):
    """OpenCV mixes those of 16 bits up; of 8 bits it reads them."""
    bands = (np.arange(3)[:, None, None] + np.zeros((3, 16, 16))).astype(dtype)
    data = made_tagged.tiff(bands.reshape(48, 16), size=(16, 16), more={278: 16, 262: 2, 277: 3, 284: 2})
    bits = 8 * np.dtype(dtype).itemsize
    end = len(data) - bands.nbytes
    offsets = struct.pack("<3I", *(end + i * bands[0].nbytes for i in range(3)))
    counts = struct.pack("<3I", *[bands[0].nbytes] * 3)
    data += offsets + counts + struct.pack("<3H", *[bits] * 3)
    for tag, kind, place in ((273, 4, 0), (279, 4, 12), (258, 3, 24)):
        at = next(i for i in range(10, end, 12) if data[i:i + 2] == struct.pack("<H", tag))
        data = data[:at] + struct.pack("<HHII", tag, kind, 3, end + bands.nbytes + place) + data[at + 12:]
    (tmp_path / "a.tif").write_bytes(data)
    if dtype == np.uint8 and read is read_image:
        np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.moveaxis(bands, 0, 2))
    else:
        with pytest.raises(BadFile, match="is a coloured mask" if dtype == np.uint8 else "one after another"):
            read(tmp_path / "a.tif")
