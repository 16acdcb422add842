"""Colours of classes, and lists of them with the classes' names."""

import colorsys
from typing import NamedTuple

Colour = tuple[int, int, int]  # red, green, blue, each 0..255
Palette = tuple[Colour, ...]


class Classes(NamedTuple):
    """Names and published colours of classes, one each, known by a name of their own."""

    name: str
    names: tuple[str, ...]
    colours: Palette

    @classmethod
    def parse(cls, name: str, names: str, colours: str | Palette) -> "Classes":
        """Return the Classes of "a,b,..." and "rrggbb rrggbb ...", or a Palette."""
        return cls(name, tuple(names.split(",")), from_hex(colours) if isinstance(colours, str) else colours)


def voc_colour(index: int) -> Colour:
    """PASCAL VOC's colour map: the index's bits dealt to red, green and blue, highest bit first."""
    red, green, blue = (sum((index >> (3 * bit + channel) & 1) << (7 - bit) for bit in range(8))
                        for channel in range(3))
    return red, green, blue


def from_hex(text: str) -> Palette:
    """Return the colours of "rrggbb rrggbb ..."."""
    return tuple((red, green, blue) for red, green, blue in map(bytes.fromhex, text.split()))


def generated_colour(index: int) -> Colour:
    """Hues a golden section apart, so that neighbours differ most; shades change with each round."""
    hue = index * 0.618034 % 1
    saturation = (0.9, 0.8, 0.6)[index // 5 % 3]
    value = (1.0, 0.65, 1.0, 0.85, 0.85)[index // 4 % 5]
    red, green, blue = (round(255 * channel) for channel in colorsys.hsv_to_rgb(hue, saturation, value))
    return red, green, blue
