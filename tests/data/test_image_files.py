"""What files hold beyond 8-bit RGB is read as it is meant or refused; what is too large is not even decoded."""

import os
import struct
import zlib

import cv2
import made_tagged
import numpy as np
import pytest

from made_png import chunk, png
from segnet_hpu.data import image_files, tiff
from segnet_hpu.data.image_coding import ImageCoding, limit_pixels, most_pixels
from segnet_hpu.data.image_header import read_header
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.errors import UsageError

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (9, 13, 3)).astype(np.uint8)


def written(path, pixels, *options):
    assert cv2.imwrite(str(path), pixels, *options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".tif", ".ppm"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_few_bits_in_16_are_refused_until_their_range_is_said(tmp_path, suffix, bits):
    highest = (1 << bits) - 1
    deep = RNG.integers(0, highest + 1, (9, 13, 3)).astype(np.uint16)
    deep[0, 0] = highest
    path = written(tmp_path / f"a{suffix}", deep)
    with pytest.raises(UsageError, match=rf"a{suffix} holds values up to {highest} .*--image_range 0-{highest} "):
        read_image(path)
    expected = [[[round(int(value) * 255 / highest) for value in pixel[::-1]] for pixel in row] for row in deep]
    np.testing.assert_array_equal(read_image(path, coding=ImageCoding(image_range=(0, highest))), expected)
    upper = read_image(path, coding=ImageCoding(image_range=(0, 65535)))
    assert upper.max() == round(highest * 255 / 65535)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bright", [np.s_[:2], np.s_[-1, -1], np.s_[:, :24]], ids=["border", "hot pixel", "no data"])
def test_a_few_bright_pixels_do_not_hide_that_others_are_dark(tmp_path, suffix, bright):
    deep = RNG.integers(0, 4096, (50, 60)).astype(np.uint16)
    deep[10, 30] = 4095
    deep[bright] = 65535
    path = written(tmp_path / f"a{suffix}", deep)
    with pytest.raises(UsageError, match=r"values up to 40\d\d in 16 bits \(but for \d+ brighter ones up to 65535\) "
                                         "and would be almost black; give --image_range 0-4095 "):
        read_image(path)
    read = read_image(path, 1, ImageCoding(image_range=(0, 4095)))[..., 0]
    np.testing.assert_array_equal(read, np.rint(np.minimum(deep, 4095) * (255 / 4095)))
    assert read[deep < 4096].max() == 255


def test_dark_pictures_with_lights_are_read(tmp_path):
    """A hundredth of the pixels is bright, by degrees, or half of them white: the range is that of 16 bits."""
    night = np.full((50, 60), 3000, np.uint16)
    night[:, 0] = np.linspace(15000, 60000, 50)
    page = np.where(np.arange(3000).reshape(50, 60) % 3, 65535, 2000).astype(np.uint16)
    for name, pixels in (("night", night), ("page", page), ("mask", np.where(page > 9999, 0, page + 63535))):
        path = written(tmp_path / f"{name}.png", pixels.astype(np.uint16))
        np.testing.assert_array_equal(read_image(path, 1)[..., 0], pixels // 256)


def test_full_16_bits_are_their_upper_8(tmp_path):
    deep = RNG.integers(0, 1 << 16, (9, 13, 3)).astype(np.uint16)
    deep[0, 0, 0] = 1 << 14
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", deep)), deep[..., ::-1] // 256)
    grey = read_image(written(tmp_path / "grey.png", deep[..., 0]))
    np.testing.assert_array_equal(grey, np.dstack([deep[..., 0] // 256] * 3))
    assert read_image(tmp_path / "grey.png", channels=1).shape == (9, 13, 1)


def test_a_range_clips_and_leaves_8_bits_alone(tmp_path):
    deep = np.array([[0, 100, 150, 200, 60000]], np.uint16)
    coding = ImageCoding(image_range=(100, 200))
    found = read_image(written(tmp_path / "deep.png", deep), 1, coding)
    np.testing.assert_array_equal(found[..., 0], [[0, 0, 128, 255, 255]])
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", COLOUR), coding=coding), COLOUR[..., ::-1])
    assert read_image(written(tmp_path / "black.png", 0 * deep)).max() == 0


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.int32, np.uint32])
def test_other_numbers_are_refused(tmp_path, kind):
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(COLOUR.astype(kind)))
    with pytest.raises(UsageError, match=r"a\.tif holds .* numbers of \d+ bits"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_fourth_band_is_refused_unless_it_is_opaque(tmp_path, suffix):
    lossless = [cv2.IMWRITE_WEBP_QUALITY, 101] if suffix == ".webp" else []
    bands = np.dstack([COLOUR, np.full((9, 13), 255, np.uint8)])
    path = written(tmp_path / f"a{suffix}", bands, lossless)
    np.testing.assert_array_equal(read_image(path), COLOUR[..., ::-1])
    bands[4, 5, 3] = 254
    written(path, bands, lossless)
    with pytest.raises(UsageError, match=rf"a{suffix} has a band beside its colours.*--ignore_alpha"):
        read_image(path)
    np.testing.assert_array_equal(read_image(path, coding=ImageCoding(ignore_alpha=True)), COLOUR[..., ::-1])
    with pytest.raises(UsageError, match="is transparent in places"):
        read_label(path)


def test_16_bit_alpha_is_looked_at_too(tmp_path):
    deep = np.dstack([COLOUR.astype(np.uint16) * 257, np.full((9, 13), 65535, np.uint16)])
    np.testing.assert_array_equal(read_image(written(tmp_path / "a.png", deep)), COLOUR[..., ::-1])
    deep[0, 0, 3] = 65534
    with pytest.raises(UsageError, match="has a band beside"):
        read_image(written(tmp_path / "a.png", deep))


def test_transparent_palette_is_no_picture_but_a_label(tmp_path):
    ids = RNG.integers(0, 4, (9, 13))
    (tmp_path / "a.png").write_bytes(png(ids, 2, 3, RNG.bytes(12)))  # with transparent entries
    with pytest.raises(UsageError, match="has a band beside"):
        read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), ids)


@pytest.mark.parametrize("bands", [2, 5, 13])
def test_other_numbers_of_bands_are_refused(tmp_path, bands):
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(np.zeros((9, 13, bands), np.uint8)))
    with pytest.raises(UsageError, match=r"a\.tif has (a band beside|\d+ bands)"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("read", [read_image, read_label])
def test_stacks_are_refused(tmp_path, read):
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(COLOUR[..., 0], pages=3))
    with pytest.raises(UsageError, match=r"a\.tif holds 3 pictures"):
        read(tmp_path / "a.tif")
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(COLOUR[..., 0], pages=2, more={254: 1}))  # a reduced copy
    assert read(tmp_path / "a.tif").shape[:2] == (9, 13)


def test_palette_of_a_tiff_label_is_refused(tmp_path):
    (tmp_path / "a.tif").write_bytes(made_tagged.tiff(COLOUR[..., 0], more={262: 3}))
    with pytest.raises(UsageError, match=r"a\.tif has a palette.*PNG"):
        read_label(tmp_path / "a.tif")


def bomb(width, height):
    """A PNG of 1 bit and nothing but zeros, a thousandth of a percent of what it takes when decoded."""
    rows, packer = bytes((width + 7) // 8 + 1), zlib.compressobj()
    body = b"".join(packer.compress(rows) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


CLAIMS = {
    "bomb.png": lambda: bomb(17_000, 17_000),
    "wide.tif": lambda: made_tagged.tiff(COLOUR, size=(60_000, 60_000)),
    "tile.tif": lambda: made_tagged.tiff(COLOUR, more={322: 60_000, 323: 60_000}),
    "a.bmp": lambda: b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 20_000, -20_000, 1, 24, 1).ljust(60, b"\0")
    + b"\0\1\0\0",
    "a.jpg": lambda: resized_jpeg(65_000, 65_000),
    "a.ppm": lambda: b"P6\n# large\n60000 60000\n255\n" + bytes(100),
}


def resized_jpeg(width, height):
    data = cv2.imencode(".jpg", COLOUR)[1].tobytes()
    return data.replace(struct.pack(">HH", *COLOUR.shape[:2]), struct.pack(">HH", height, width), 1)


@pytest.mark.parametrize("name", CLAIMS)
@pytest.mark.parametrize("read", [read_image, read_label])
def test_bombs_are_refused_before_they_are_decoded(tmp_path, monkeypatch, name, read):
    (tmp_path / name).write_bytes(CLAIMS[name]())
    monkeypatch.setattr(image_files.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(UsageError, match=rf"{name} is \d+x\d+ pixels large.*--max_pixels"):
        read(tmp_path / name)


def test_limit_is_the_users(tmp_path):
    path, before = written(tmp_path / "a.png", COLOUR), most_pixels()
    try:
        limit_pixels(9 * 13)
        assert read_image(path).shape == COLOUR.shape
        limit_pixels(9 * 13 - 1)
        with pytest.raises(UsageError, match="13x9 pixels large, of which 116"):
            read_image(path)
    finally:
        limit_pixels(before)


@pytest.mark.parametrize("read", [read_image, read_label])
def test_endless_and_huge_files_are_not_read(tmp_path, read):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"a\.png is a pipe"):
        read(tmp_path / "a.png")
    with pytest.raises(UsageError, match="/dev/zero is a device"):
        read("/dev/zero")
    with open(tmp_path / "b.png", "wb") as file:
        file.truncate(1 << 40)  # takes no space
    with pytest.raises(UsageError, match=r"b\.png is 1,099,511,627,776 bytes large"):
        read(tmp_path / "b.png")


def test_headers_that_cost_time_are_read_at_once():
    assert read_header(b"P6" + b" " * 5000 + b"x") is None
    entries = 65_535
    overlapping = bytearray(made_tagged.tiff(COLOUR)[:8] + bytes(1 << 20))
    for at in range(8, 4000, 4):  # directories of as many entries as can be, each within the one before
        struct.pack_into("<H", overlapping, at, entries)
        struct.pack_into("<I", overlapping, at + 2 + 12 * entries, at + 4)
    assert 1 < sum(1 for _ in tiff.directories(bytes(overlapping))) < 20


@pytest.mark.parametrize("make", [
    lambda: cv2.imencode(".png", COLOUR)[1].tobytes(), lambda: made_tagged.jpeg(COLOUR, 6),
    lambda: made_tagged.png(COLOUR, 8), lambda: made_tagged.webp(COLOUR, 3), lambda: made_tagged.tiff(COLOUR, 5),
    lambda: made_tagged.tiff(COLOUR.astype(np.uint16) * 257, order=">"),
    lambda: cv2.imencode(".bmp", COLOUR)[1].tobytes(), lambda: cv2.imencode(".ppm", COLOUR)[1].tobytes()])
def test_altered_files_are_pictures_or_refused(tmp_path, make):
    whole, rng = make(), np.random.default_rng(0)
    for _ in range(150):
        data = bytearray(whole[:rng.integers(len(whole)) if rng.random() < 0.2 else None])
        for at in rng.integers(0, min(len(data), 150) or 1, rng.integers(0, 4)):
            if data:
                data[at] = rng.choice([0, 1, 127, 255])
        (tmp_path / "a.png").write_bytes(data)
        try:
            image = read_image(tmp_path / "a.png")
        except UsageError as error:
            assert str(error).startswith(f"{tmp_path / 'a.png'} ") and "\n" not in str(error)
        else:
            assert image.dtype == np.uint8 and image.shape[2] == 3 and image.size <= 3 * most_pixels()
