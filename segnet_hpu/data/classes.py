"""Names and colours of a network's classes: those of a known data set, or any other.

Light on purpose: command lines read the names from here before anything heavy is imported.
"""

from typing import TYPE_CHECKING

from segnet_hpu.data.datasets.palettes import CLASS_NAMES, PALETTES, colours, first_entries, palettes
from segnet_hpu.errors import UsageError, nearest

if TYPE_CHECKING:
    import numpy as np


def palette(name: str | None, n_classes: int) -> "np.ndarray":
    """Return the colours of classes 0..n_classes-1 as uint8 (n_classes, 3), RGB.

    name: a key of PALETTES, colours "rrggbb,rrggbb,...", or None for generated colours, all different.
    n_classes: 1..255. Raises UsageError for an unknown name and for more classes than the palette has.

    >>> palette("voc", 2).tolist()
    [[0, 0, 0], [128, 0, 0]]
    """
    import numpy as np

    return np.array(colours(name, n_classes), np.uint8).reshape(n_classes, 3)


def class_names(name: str | None, n_classes: int) -> list[str]:
    """Return the names of classes 0..n_classes-1 of a known data set, else "class 0", ...

    name: as for `palette`, colours have no names. Raises UsageError as `palette` does.

    >>> class_names("voc", 2)
    ['background', 'aeroplane']
    """
    if name is None or name in palettes(name).keys() - PALETTES.keys():
        return [f"class {i}" for i in range(n_classes)]
    return list(first_entries(CLASS_NAMES, name, n_classes))


def split_names(text: str, n_classes: int) -> list[str]:
    """Return the names in "a,b,c"; raises UsageError unless there are n_classes, none of them empty."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != n_classes or not all(names):
        raise UsageError(f"--class_names {text!r} holds {sum(map(bool, names))} names; expected {n_classes}, "
                         "separated by commas, one a class")
    return names


def check_palette(name: str | None, n_classes: int) -> None:
    """Raise UsageError where a palette, as for `palette`, has fewer colours than there are classes."""
    if name and n_classes > (known := len(palettes(name)[name])):
        raise UsageError(f"--palette {name} has {known} classes, --n_classes is {n_classes}; leave the palette out "
                         "for generated colours")


def parse_palette(text: str) -> str:
    """a known data set's name, or colours rrggbb,rrggbb,..."""
    if text not in palettes(text):
        raise ValueError(f"known are {', '.join(PALETTES)}.{nearest(text, PALETTES)}")
    return text
