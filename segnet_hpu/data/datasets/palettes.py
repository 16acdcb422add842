"""Names and colours of the classes of known data sets, by name. Neither NumPy nor OpenCV is needed."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from segnet_hpu.data.colours import Colour, Palette, from_hex, generated_colour
from segnet_hpu.data.datasets.public import CLASSES
from segnet_hpu.errors import UsageError, nearest

Entry = TypeVar("Entry")

CLASS_NAMES = {name: classes.names for name, classes in CLASSES.items()}
PALETTES = {name: classes.colours for name, classes in CLASSES.items()}


def colours(name: str | None, n_classes: int) -> list[Colour]:
    """Return the colours of classes 0..n_classes-1, as data.classes.palette does."""
    if not name:
        return list(map(generated_colour, range(n_classes)))
    return list(first_entries(palettes(name), name, n_classes))


def palettes(name: str | None) -> Mapping[str, Palette]:
    """Return the known palettes, and the one that the colours in `name` are."""
    if name and re.fullmatch("[0-9a-fA-F]{6}(,[0-9a-fA-F]{6})*", name):
        return {**PALETTES, name: from_hex(name.replace(",", " "))}
    return PALETTES


def first_entries(table: Mapping[str, Sequence[Entry]], name: str, n_classes: int) -> Sequence[Entry]:
    """Return the first n_classes entries of table[name]; raises UsageError where there are fewer."""
    if name not in table:
        raise UsageError(f"palette {name!r} is unknown; expected one of {', '.join(table)}."
                         f"{nearest(name, table)}")
    entries = table[name]
    if n_classes > len(entries):
        raise UsageError(f"palette {name} has {len(entries)} classes but there are {n_classes}; "
                         "leave the palette out for generated colours")
    return entries[:n_classes]

