import struct

import cv2
import numpy as np
import pytest

from made_png import bmp_with_palette, png
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.errors import UsageError

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 12, (9, 13)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (9, 13, 3)).astype(np.uint8)


def written(path, pixels):
    assert cv2.imwrite(str(path), pixels)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp"])
def test_image_is_rgb(tmp_path, suffix):
    path = written(tmp_path / f"a{suffix}", COLOUR)
    np.testing.assert_array_equal(read_image(path), COLOUR[:, :, ::-1])


def test_jpeg_keeps_its_colour(tmp_path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[:, :, 2] = 200
    image = read_image(written(tmp_path / "a.jpg", red))
    assert abs(int(image[8, 8, 0]) - 200) < 4 and image[8, 8, 1:].max() < 4


def test_path_outside_ascii(tmp_path):
    path = tmp_path / "straße 画像.png"
    path.write_bytes(cv2.imencode(".png", COLOUR)[1].tobytes())
    assert read_image(path).shape == (9, 13, 3)


def test_grey_alpha_and_16_bit_images_become_rgb_of_8_bits(tmp_path):
    grey = read_image(written(tmp_path / "grey.png", IDS))
    np.testing.assert_array_equal(grey, np.stack([IDS] * 3, 2))
    alpha = read_image(written(tmp_path / "alpha.png", np.dstack([COLOUR, np.full_like(IDS, 255)])))
    np.testing.assert_array_equal(alpha, COLOUR[:, :, ::-1])
    deep = read_image(written(tmp_path / "deep.png", COLOUR.astype(np.uint16) * 257))
    np.testing.assert_array_equal(deep, COLOUR[:, :, ::-1])


def test_one_channel(tmp_path):
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", IDS), channels=1), IDS[:, :, None])
    with pytest.raises(UsageError, match="channels is 2"):
        read_image(tmp_path / "a.png", channels=2)


def test_label_is_grey_value_or_blue_channel(tmp_path):
    np.testing.assert_array_equal(read_label(written(tmp_path / "grey.png", IDS)), IDS)
    for name, colour in (("blue.bmp", np.dstack([IDS, IDS * 0, IDS * 0])), ("equal.png", np.dstack([IDS] * 3))):
        np.testing.assert_array_equal(read_label(written(tmp_path / name, colour)), IDS)
    with pytest.raises(UsageError, match=r"colour\.bmp is a coloured mask \(117 colours, its channels differ\)"):
        read_label(written(tmp_path / "colour.bmp", COLOUR))
    np.testing.assert_array_equal(read_label(written(tmp_path / "deep.png", IDS.astype(np.uint16))), IDS)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("colour_type", [0, 3])
def test_label_of_palette_or_few_bits_is_its_samples(tmp_path, depth, colour_type):
    ids = RNG.integers(0, 2 ** depth, (7, 11))
    palette = RNG.bytes(3 * 2 ** depth) if colour_type == 3 else None
    (tmp_path / "a.png").write_bytes(png(ids, depth, colour_type, palette))
    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), ids)


def test_label_of_grey_palette_is_its_greys(tmp_path):
    (tmp_path / "a.png").write_bytes(png(IDS % 3, 8, 3, bytes([5, 5, 5, 7, 7, 7, 9, 9, 9])))
    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), np.array([5, 7, 9])[IDS % 3])


def test_label_of_bmp_palette_is_its_index(tmp_path):
    (tmp_path / "a.bmp").write_bytes(bmp_with_palette(IDS, RNG.integers(0, 256, (256, 3))))
    np.testing.assert_array_equal(read_label(tmp_path / "a.bmp"), IDS)


@pytest.mark.parametrize("masks", [(), (0xF800, 0x7E0, 0x1F)])
def test_label_of_a_16_bit_bmp_is_refused_and_a_picture_is_not(tmp_path, masks):
    """Its 5 or 6 bits a band are stretched to 8: an id would be 8 times itself."""
    rows = b"".join(row.astype("<u2").tobytes() + bytes(-2 * row.size % 4) for row in IDS * 0x21)
    table = struct.pack(f"<{len(masks)}I", *masks)
    (tmp_path / "a.bmp").write_bytes(
        b"BM" + struct.pack("<IHHI", 54 + len(table) + len(rows), 0, 0, 54 + len(table))
        + struct.pack("<IiiHHIIiiII", 40, 13, -9, 1, 16, len(masks), len(rows), 0, 0, 0, 0) + table + rows)
    with pytest.raises(UsageError, match="a.bmp has colours of 5 or 6 bits"):
        read_label(tmp_path / "a.bmp")
    assert read_image(tmp_path / "a.bmp").shape == (9, 13, 3)


def test_label_of_16_bits_above_255_is_refused(tmp_path):
    path = written(tmp_path / "a.png", np.full((4, 4), 7000, np.uint16))
    with pytest.raises(UsageError, match=r"a\.png holds the value 7000.*8-bit"):
        read_label(path)


@pytest.mark.parametrize("read", [read_image, read_label])
def test_what_is_no_image_is_refused_by_name(tmp_path, read):
    cases = {"none.png": None, "empty.png": b"", "text.png": b"hello", "header.png": b"\x89PNG\r\n\x1a\n"}
    for name, data in cases.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(UsageError, match=name.replace(".", r"\.")) as error:
            read(tmp_path / name)
        assert "\n" not in str(error.value)
    with pytest.raises(UsageError, match="Is a directory"):
        read(tmp_path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_truncated_file_is_refused(tmp_path, suffix, kept):
    data = cv2.imencode(suffix, RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8))[1].tobytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(data)
    assert read_image(path).shape == (64, 64, 3)
    path.write_bytes(data[:int(len(data) * kept)])
    with pytest.raises(UsageError, match="is truncated"):
        read_image(path)


def test_jpeg_without_its_last_two_bytes_is_truncated(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(cv2.imencode(".jpg", COLOUR)[1].tobytes()[:-2])
    with pytest.raises(UsageError, match="is truncated"):
        read_image(path)


def test_progressive_jpeg_with_trailing_bytes_is_whole(tmp_path):
    progressive = [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 1]
    data = cv2.imencode(".jpg", COLOUR, progressive)[1]
    (tmp_path / "a.jpg").write_bytes(data.tobytes() + b"maker's note")
    assert read_image(tmp_path / "a.jpg").shape == COLOUR.shape


def test_altered_png_is_refused(tmp_path):
    data = bytearray(png(IDS))
    data[50] ^= 1
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(UsageError, match="damaged.*IDAT"):
        read_label(tmp_path / "a.png")


def test_png_of_zero_size_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(png(IDS, width=0))
    with pytest.raises(UsageError, match="of zero size"):
        read_image(tmp_path / "a.png")
