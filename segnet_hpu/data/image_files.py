"""Image files to pixels as they are stored. What cannot be used is refused before it is decoded."""

import os
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.data import containers, pnm, tiff
from segnet_hpu.data.bmp_runs import runs_damage
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_coding import most_pixels
from segnet_hpu.data.image_header import ImageHeader, read_header
from segnet_hpu.data.tiff_damage import tiff_damage
from segnet_hpu.files import StrPath, special_file

FORMATS = "a PNG, JPEG, BMP, TIFF or WebP file"
COPY_ANEW = "copy it anew or remove it"
BYTES_A_PIXEL, FURTHER_BYTES = 8, 1 << 26  # of an uncompressed file: four bands of 16 bits, and all that is no pixel
BANDS = 4  # that OpenCV decodes at most without mixing them up
_PIXEL_DAMAGE = {"BMP": runs_damage, "TIFF": tiff_damage}


def read_file(path: StrPath) -> tuple[bytes, ImageHeader]:
    """Return the bytes of an image file, and its header.

    Raises BadFile for a file that is missing, empty, cut short or damaged, in a format that is not read, larger
    than `image_coding.most_pixels`, or that holds several pictures or more bands than are read.
    """
    data = _read_bytes(path)
    damage = containers.damage(data)
    if damage:
        raise BadFile(path, f"is {damage}", COPY_ANEW)
    header = read_header(data)
    if header is None:
        raise BadFile(path, f"is no image of a format that is read, expected {FORMATS}", COPY_ANEW)
    if header.room > most_pixels():
        raise BadFile(path, f"is {header.width}x{header.height} pixels large, of which {most_pixels():,} are read at "
                      "most", "cut it into smaller pictures, or raise --max_pixels")
    damage = _PIXEL_DAMAGE[header.format](data) if header.format in _PIXEL_DAMAGE else None
    if damage:
        raise BadFile(path, f"is {damage}", COPY_ANEW)
    if header.pictures > 1:
        raise BadFile(path, f"holds {header.pictures} pictures, expected one", "save each as a file of its own")
    if header.colours + header.further > BANDS:
        raise BadFile(path, f"has {header.colours + header.further} bands, expected grey or RGB",
                      "save the bands that matter as grey or RGB files")
    if header.in_planes and header.bits > 8:  # which OpenCV mixes up
        raise BadFile(path, f"has its bands of {header.bits} bits one after another (TIFF's PlanarConfiguration 2), "
                      "which is not read", "save it with the bands of a pixel together")
    return data, header


def decode(path: StrPath, data: bytes, header: ImageHeader, flags: int) -> np.ndarray:
    """Return a file's pixels as they are stored, whatever its orientation tag says; flags: cv2.IMREAD_... .

    Raises BadFile.
    """
    if header.format == "TIFF":  # which OpenCV turns in any case
        data = tiff.without_orientation(data)
    elif header.format == "PNM":
        data = pnm.as_stored(data)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        pixels = None
    if pixels is None or not pixels.size:
        raise BadFile(path, f"is no image that OpenCV can read, expected {FORMATS}", COPY_ANEW)
    if header.format == "TIFF" and 8 < header.bits < 16:  # which OpenCV stretches to 16
        return np.right_shift(pixels, 16 - header.bits)
    return pixels


def _read_bytes(path: StrPath) -> bytes:
    kind = special_file(path)
    if kind:
        raise BadFile(path, f"is {kind}, expected {FORMATS}", "copy what it yields into a file")
    try:
        size, most = os.stat(path).st_size, BYTES_A_PIXEL * most_pixels() + FURTHER_BYTES
        if size > most:
            raise BadFile(path, f"is {size:,} bytes large, expected {FORMATS} of at most {most:,}",
                          "cut it into smaller pictures, or raise --max_pixels")
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise BadFile(path, f"does not exist, expected {FORMATS}", "check the path") from None
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror}), expected {FORMATS}",
                      "check the path and its permissions") from None
    if not data:
        raise BadFile(path, f"is empty, expected {FORMATS}", COPY_ANEW)
    return data
