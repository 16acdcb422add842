"""What can be wrong with a label file, and how to mend it."""

from collections.abc import Sequence

import numpy as np

from segnet_hpu.data.colours import Colour
from segnet_hpu.data.faults import Fault
from segnet_hpu.files import StrPath

IDS_LISTED = 8
DESCRIBE = "read it as it is by a description, which segnet-hpu dataset inspect writes"
BY_COLOURS = ("read the labels by their colours: label_colours in a description, which segnet-hpu dataset inspect "
              "writes")


def lossy_fault(file: StrPath, kind: str) -> Fault:
    """Return the Fault of a label in a format that alters values. kind: its name with an article."""
    return Fault(str(file), f"is {kind}, whose compression alters class ids",
                 "make the label anew as PNG from its source")


def coloured_fault(file: StrPath, label: np.ndarray) -> Fault:
    """Return the Fault of a label that is a coloured picture, uint8 or uint16 (H, W, 3)."""
    colours = len(np.unique(label.reshape(-1, 3), axis=0))
    return Fault(str(file), f"is a coloured mask ({colours} colours, its channels differ)",
                 f"map each colour to its class id and save the ids as a grey PNG, or {DESCRIBE}")


def palette_fault(file: StrPath, other: StrPath, index: int, colours: Sequence[Colour]) -> Fault:
    """Return the Fault of a label whose palette says something else than another's. colours: of index in both."""
    mine, theirs = (bytes(colour).hex() for colour in colours)
    return Fault(str(file), f"has the colour {mine} for the index {index}, which is {theirs} in {other}", BY_COLOURS)


def mixed_palettes_fault(file: StrPath, other: StrPath) -> Fault:
    """Return the Fault of a label with a palette of greys, beside one with a coloured palette."""
    return Fault(str(file), f"has a palette of greys and is read by these, while {other} has one of colours and is "
                 "read by its indices", BY_COLOURS)


def binary_fault(file: StrPath, what: str) -> Fault:
    """Return the Fault of a mask whose foreground is 255."""
    return Fault(str(file), what, f"convert 255 to 1: cv2.imwrite(file, (mask > 127).astype('uint8')), or {DESCRIBE}")


def outside_fault(path: StrPath, outside: np.ndarray, counts: np.ndarray, n_classes: int) -> Fault:
    """Return the Fault of a label file. outside: its ids that are no class; counts: pixels of every id."""
    listed = ", ".join(f"{i} ({counts[i]} pixels)" for i in outside[:IDS_LISTED])
    more = f" and {len(outside) - IDS_LISTED} more" if len(outside) > IDS_LISTED else ""
    fix = f"map it to 0..{n_classes - 1}, raise --n_classes, or give a void id as --ignore_label"
    if n_classes == 2 and outside.max() > 127:
        fix = "if it is a grey mask: cv2.imwrite(file, (mask > 127).astype('uint8')); else " + fix
    return Fault(str(path), f"holds ids outside 0..{n_classes - 1}: {listed}{more}", fix)
