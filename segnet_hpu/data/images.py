"""Reading pictures and labels from files."""

from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.data import containers
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

# A camera's orientation tag turns the picture but not the label drawn over it: neither is turned.
AS_STORED = cv2.IMREAD_IGNORE_ORIENTATION
FORMATS = "a PNG, JPEG or BMP file"
COPY_ANEW = "copy it anew or remove it"


class BadFile(UsageError):
    """A file that cannot be used: `file`, `what` is wrong with it and how to `fix` it."""

    def __init__(self, file: StrPath, what: str, fix: str) -> None:
        super().__init__(f"{file} {what}; {fix}")
        self.file, self.what, self.fix = str(file), what, fix


def read_image(path: StrPath, channels: int = 3) -> np.ndarray:
    """Return a picture as uint8 (H, W, channels), RGB; channels 3, or 1 for grey.

    16-bit files are reduced to 8 bits, alpha is dropped. Raises BadFile (a UsageError) for
    a missing, empty, truncated or foreign file.
    """
    if channels == 1:
        return _decode(read_bytes(path), cv2.IMREAD_GRAYSCALE | AS_STORED, path)[:, :, None]
    if channels != 3:
        raise UsageError(f"channels is {channels}; expected 3 (RGB) or 1 (grey)")
    return cv2.cvtColor(_decode(read_bytes(path), cv2.IMREAD_COLOR | AS_STORED, path), cv2.COLOR_BGR2RGB)


def read_label(path: StrPath) -> np.ndarray:
    """Return a label's class ids as uint8 (H, W).

    The id is the blue channel of a colour file (keras_segmentation's rule), the value of a grey one,
    and the index of one with a colour palette (PASCAL VOC). Raises BadFile as `read_image`, and
    for 16-bit values above 255.
    """
    label = blue_channel(read_label_channels(path))
    if label.dtype != np.uint8:
        if label.max() > 255:
            raise BadFile(path, f"holds the value {label.max()}, expected class ids of at most 255",
                          "map the ids to 0..n_classes-1 and save as 8-bit PNG")
        label = label.astype(np.uint8)
    return label


def read_label_channels(path: StrPath) -> np.ndarray:
    """Return a label as stored, uint8 or uint16: (H, W) if grey or indices, (H, W, 3) BGR if colour."""
    data = containers.indices_as_grey(read_bytes(path))
    label = _decode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | AS_STORED, path)
    if label.dtype not in (np.uint8, np.uint16):
        raise BadFile(path, f"holds {label.dtype} values, expected whole class ids", "save it as 8-bit PNG")
    return label // containers.grey_scale(data)


def read_label_colours(path: StrPath) -> np.ndarray:
    """Return a coloured label as uint8 (H, W, 3) RGB: of indices the colours of their palette, of greys these greys.

    Raises BadFile as `read_image`, and for more than 8 bits.
    """
    label = _decode(read_bytes(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | AS_STORED, path)
    if label.dtype != np.uint8:
        raise BadFile(path, f"holds {label.dtype} values, expected colours of 8 bits", "save it as 8-bit PNG")
    return np.ascontiguousarray(label[:, :, ::-1])


def blue_channel(label: np.ndarray) -> np.ndarray:
    """Return the blue channel (H, W) of a BGR array, or a grey one as it is."""
    return label if label.ndim == 2 else np.ascontiguousarray(label[:, :, 0])


def rgb_of_bgr(image: np.ndarray) -> np.ndarray:
    """Return uint8 RGB (H, W, C) of a BGR array of any type of numbers, rounded and clipped to 0..255."""
    if image.dtype != np.uint8:
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(image[:, :, ::-1])


def shown(image: np.ndarray) -> np.ndarray:
    """Return RGB (H, W, 3) to show of an image (H, W, C): the last picture of a stack, see photometric.py."""
    if image.shape[2] == 3:
        return image
    last = image[:, :, -1:] if image.shape[2] % 3 else image[:, :, -3:]
    return np.array(np.broadcast_to(last, (*image.shape[:2], 3)))


def read_bytes(path: StrPath) -> bytes:
    """Return the bytes of an image file that is neither empty nor cut short; raises BadFile."""
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        raise BadFile(path, f"does not exist, expected {FORMATS}", "check the path") from None
    except OSError as error:
        raise BadFile(path, f"cannot be read ({error.strerror}), expected {FORMATS}",
                      "check the path and its permissions") from None
    if not data:
        raise BadFile(path, f"is empty, expected {FORMATS}", COPY_ANEW)
    damage = containers.damage(data)
    if damage:
        raise BadFile(path, f"is {damage}", COPY_ANEW)
    return data


def _decode(data: bytes, flags: int, path: StrPath) -> np.ndarray:
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        pixels = None
    if pixels is None or not pixels.size:
        raise BadFile(path, f"is no image that OpenCV can read, expected {FORMATS}", COPY_ANEW)
    return pixels
