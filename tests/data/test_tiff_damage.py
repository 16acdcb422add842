"""Damaged pixels of TIFF files, of which OpenCV returns what libtiff made before it failed."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from segnet_hpu.data import tiff_damage
from segnet_hpu.data.images import read_image
from segnet_hpu.data.labels import read_label
from segnet_hpu.data.tiff import directories, numbers
from segnet_hpu.errors import UsageError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 3, (150, 201)).astype(np.uint8)
AREAS = np.kron(NOISE[:10, :10], np.ones((20, 15), np.uint8))
DEFLATE, LZW, PACKBITS, NONE = 8, 5, 32773, 1


def tiff(pixels, compression, rows=40, predictor=1):
    return cv2.imencode(".tif", pixels, [cv2.IMWRITE_TIFF_COMPRESSION, compression, cv2.IMWRITE_TIFF_ROWSPERSTRIP,
                                         rows, cv2.IMWRITE_TIFF_PREDICTOR, predictor])[1].tobytes()


def strips(data):
    """The places of a file's strips."""
    first = next(directories(data))
    return [slice(start, start + size) for start, size in zip(numbers(data, first, 273), numbers(data, first, 279),
                                                              strict=True)]


def refuses(path, content):
    path.write_bytes(content)
    for read in (read_label, read_image):
        with pytest.raises(UsageError, match=rf"{path.name} is (truncated|damaged).*; copy it anew"):
            read(path)


@pytest.mark.parametrize("compression", [DEFLATE, LZW, PACKBITS, NONE])
@pytest.mark.parametrize("pixels", [NOISE, AREAS, NOISE.astype(np.uint16) * 50, np.dstack([AREAS] * 3)])
@pytest.mark.parametrize(("rows", "predictor"), [(7, 1), (1000, 1), (40, 2)])
def test_sound_files_are_read(tmp_path, compression, pixels, rows, predictor):
    (tmp_path / "a.tif").write_bytes(tiff(pixels, compression, rows, predictor))
    expected = pixels if pixels.ndim == 2 else pixels[..., 0]
    np.testing.assert_array_equal(read_label(tmp_path / "a.tif"), expected)


def test_codes_of_all_widths_are_counted(tmp_path):
    """Noise of a whole byte fills the table of LZW in few pixels, a plain picture makes the longest entries."""
    for name, pixels in (("noise", RNG.integers(0, 256, (90, 301))), ("plain", np.zeros((900, 999)))):
        (tmp_path / f"{name}.tif").write_bytes(tiff(pixels.astype(np.uint8), LZW, 1000))
        np.testing.assert_array_equal(read_label(tmp_path / f"{name}.tif"), pixels)


@pytest.mark.parametrize("pixels", [NOISE, AREAS])
def test_any_altered_byte_of_deflate_is_seen(tmp_path, pixels):
    whole = tiff(pixels, DEFLATE)
    for strip in strips(whole):
        for at in RNG.integers(strip.start, strip.stop, 8).tolist():
            refuses(tmp_path / "a.tif", whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1:])


def test_a_sound_file_is_looked_into_once(tmp_path, monkeypatch):
    """Training reads it in every epoch; the same bytes under any name are known, others are not."""
    whole, looked = tiff(NOISE, LZW), []
    monkeypatch.setattr(tiff_damage, "_sound", set())
    monkeypatch.setattr(tiff_damage, "_pixel_damage", lambda data: looked.append(data))
    for name, content in (("a", whole), ("b", whole), ("a", whole), ("a", tiff(AREAS, LZW))):
        (tmp_path / f"{name}.tif").write_bytes(content)
        read_label(tmp_path / f"{name}.tif")
    assert looked == [whole, tiff(AREAS, LZW)]


@pytest.mark.parametrize("compression", [DEFLATE, LZW])
@pytest.mark.parametrize("pixels", [NOISE, AREAS])
def test_a_strip_of_zeros_is_seen(tmp_path, compression, pixels):
    whole = tiff(pixels, compression)
    for strip in strips(whole):
        refuses(tmp_path / "a.tif", whole[:strip.start] + bytes(strip.stop - strip.start) + whole[strip.stop:])


@pytest.mark.parametrize("compression", [DEFLATE, LZW, PACKBITS, NONE])
def test_a_strip_that_ends_early_is_seen(tmp_path, compression):
    whole = tiff(NOISE, compression, 1000)
    (strip,) = strips(whole)
    first = next(directories(whole))
    size, cut = first.places[279], struct.pack("<I", (strip.stop - strip.start) // 2)
    refuses(tmp_path / "a.tif", whole[:size] + cut + whole[size + 4:])


def tiled(tiles, height, width):
    """A TIFF of 8 bits in tiles of 16 x 16, two a row; tiles: their compressed bytes."""
    sizes = [len(tile) for tile in tiles]
    tags = {256: width, 257: height, 258: 8, 259: DEFLATE, 262: 1, 277: 1, 322: 16, 323: 16}
    after = 8 + 2 + 12 * (len(tags) + 2) + 4
    starts = [after + 8 * len(tiles) + sum(sizes[:i]) for i in range(len(tiles))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    entries += struct.pack("<HHII", 324, 4, len(tiles), after)
    entries += struct.pack("<HHII", 325, 4, len(tiles), after + 4 * len(tiles))
    return (b"II*\0" + struct.pack("<IH", 8, len(tags) + 2) + entries + bytes(4)
            + struct.pack(f"<{2 * len(tiles)}I", *starts, *sizes) + b"".join(tiles))


def test_tiles(tmp_path):
    ids = NOISE[:40, :30]
    padded = np.pad(ids, ((0, 8), (0, 2)))
    tiles = [zlib.compress(padded[y:y + 16, x:x + 16].tobytes()) for y in (0, 16, 32) for x in (0, 16)]
    (tmp_path / "a.tif").write_bytes(tiled(tiles, 40, 30))
    np.testing.assert_array_equal(read_label(tmp_path / "a.tif"), ids)
    for i in range(6):
        short = zlib.compress(bytes(16 * 15))
        refuses(tmp_path / "b.tif", tiled([*tiles[:i], short, *tiles[i + 1:]], 40, 30))
    refuses(tmp_path / "b.tif", tiled(tiles[:5], 40, 30))
