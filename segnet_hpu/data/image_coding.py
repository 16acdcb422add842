"""How image files are meant: which way up, over which range their numbers go, how large they may be."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segnet_hpu.config import option

ORIENTATIONS = UPRIGHT, AS_STORED = "upright", "as_stored"
CODING_KEYS = ("orientation", "image_range", "ignore_alpha")
MAX_PIXELS = 1 << 28  # 16,384 x 16,384; OpenCV itself reads four times as many

_most_pixels = MAX_PIXELS


@dataclass(frozen=True)
class ImageCoding:
    """How image files become RGB pictures of 8 bits; None is what has not been said.

    orientation: UPRIGHT (as if not said) turns a picture as its orientation tag says, as viewers and label tools do;
    AS_STORED does not. image_range: the numbers of a file of more than 8 bits that become 0 and 255; those beyond
    are clipped. ignore_alpha: a fourth band is left out, whatever it holds.
    """

    orientation: str | None = None
    image_range: tuple[int, int] | None = None
    ignore_alpha: bool = False

    @property
    def turns(self) -> bool:
        """Whether pictures are turned as their orientation tags say."""
        return self.orientation != AS_STORED

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "ImageCoding":
        """Return the coding that `noted` yields. Raises ValueError where it cannot be that."""
        orientation, image_range, ignore_alpha = map(noted.get, CODING_KEYS)
        if orientation not in (None, *ORIENTATIONS):
            raise ValueError(f"orientation is {orientation!r}; expected {' or '.join(ORIENTATIONS)}")
        if not isinstance(ignore_alpha, bool | None):
            raise ValueError(f"ignore_alpha is {ignore_alpha!r}; expected true or false")
        try:
            image_range = None if image_range is None else parse_range(image_range)
        except (ValueError, TypeError):
            raise ValueError(f"image_range is {image_range!r}; expected {parse_range.__doc__}") from None
        return cls(orientation, image_range, bool(ignore_alpha))

    def noted(self) -> dict[str, Any]:
        """Return what has been said, as JSON and YAML take it."""
        values = (self.orientation, self.image_range and list(self.image_range), self.ignore_alpha)
        return {name: value for name, value in zip(CODING_KEYS, values, strict=True) if value}

    def over(self, other: "ImageCoding") -> "ImageCoding":
        """Return this coding; what it does not say is as `other` says."""
        return ImageCoding(self.orientation or other.orientation, self.image_range or other.image_range,
                           self.ignore_alpha or other.ignore_alpha)


PLAIN = ImageCoding()


def parse_range(value: str | Sequence[int]) -> tuple[int, int]:
    """two whole numbers LOW-HIGH of at most 65535, such as 0-1023"""
    found = re.fullmatch(r"\s*(\d{1,5})\s*[-,]\s*(\d{1,5})\s*", value) if isinstance(value, str) else None
    low, high = map(int, found.groups() if found else value)
    if not 0 <= low < high < 1 << 16:
        raise ValueError(f"{low} to {high}")
    return low, high


@dataclass(kw_only=True)
class ImageSettings:
    """How image files are read; every command that reads pictures has these settings."""

    orientation: str | None = option(None, "upright: turn pictures as their orientation tags say, as viewers do; "
                                     "as_stored: do not; if not set as the data set or model says, else upright",
                                     choices=ORIENTATIONS, group="image files",
                                     changes="training")
    image_range: tuple | None = option(None, "numbers that are black and white in files of more than 8 bits: 0-1023 "
                                       "for 10 bits, 0-4095 for 12; if not set as the data set or model says, else "
                                       "all 16 bits", parse=parse_range, group="image files", changes="training")
    ignore_alpha: bool = option(False, "leave out a fourth band, such as transparency", group="image files",
                                changes="training")
    max_pixels: int = option(MAX_PIXELS, "larger pictures and labels are refused before they are decoded", minimum=1,
                             maximum=1 << 30, group="image files", changes="nothing")

    @property
    def image_coding(self) -> ImageCoding:
        return ImageCoding(self.orientation, self.image_range, self.ignore_alpha)


def limit_pixels(number: int) -> None:
    """Set how many pixels a picture may have that this process decodes."""
    global _most_pixels
    _most_pixels = number


def most_pixels() -> int:
    """Return how many pixels a picture may have that this process decodes."""
    return _most_pixels
