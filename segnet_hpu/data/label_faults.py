"""What can be wrong with a label file, and how to mend it."""

from dataclasses import dataclass

import numpy as np

from segnet_hpu.constants import void_ids
from segnet_hpu.data import containers
from segnet_hpu.data.images import BadFile, blue_channel

IDS_LISTED = 8


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file (or folder), and how to mend it."""

    file: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file} {self.what}; {self.fix}"

    @classmethod
    def of(cls, error: BadFile) -> "Fault":
        """Return the fault that an error of reading tells."""
        return cls(error.file, error.what, error.fix)


def check_label(path: str, label: np.ndarray, n_classes: int,
                ignore_label: int | None) -> tuple[list[Fault], set[int]]:
    """Return (faults, ids in the label). label: as `images.read_label_channels` returns it.

    n_classes: allowed ids are 0..n_classes-1. ignore_label: one more allowed id, and 255 with it; or None, neither.
    """
    with open(path, "rb") as file:
        jpeg = containers.is_jpeg(file.read(4))
    if jpeg:
        return [Fault(path, "is a JPEG, whose compression alters class ids",
                      "make the label anew as PNG from its source")], set()
    if _is_coloured(label):
        colours = len(np.unique(label.reshape(-1, 3), axis=0))
        return [Fault(path, f"is a coloured mask ({colours} colours, its channels differ)",
                      "map each colour to its class id and save the ids as a grey PNG")], set()
    counts = np.bincount(blue_channel(label).ravel())
    ids = np.flatnonzero(counts)
    # A set that has void pixels may have 255 for them as well; one that has none has hardly meant 255 as void.
    outside = ids[(ids >= n_classes) & ~np.isin(ids, void_ids(ignore_label))]
    if not outside.size:
        return [], set(ids.tolist())
    if 255 in outside and set(ids.tolist()) <= {0, 255}:
        return [binary_fault(path, f"is a mask of 0 and 255 ({counts[255]} pixels)")], set()
    return [outside_fault(path, outside, counts, n_classes)], set()


def _is_coloured(label: np.ndarray) -> bool:
    """Channels differ, except where only blue is used, as some tools write ids for keras_segmentation."""
    if label.ndim == 2:
        return False
    blue, green, red = label[:, :, 0], label[:, :, 1], label[:, :, 2]
    only_blue = not green.any() and not red.any()
    return not only_blue and not (np.array_equal(blue, green) and np.array_equal(blue, red))


def binary_fault(file: str, what: str) -> Fault:
    """Return the Fault of a mask whose foreground is 255."""
    return Fault(file, what, "convert 255 to 1: cv2.imwrite(file, (mask > 127).astype('uint8'))")


def outside_fault(path: str, outside: np.ndarray, counts: np.ndarray, n_classes: int) -> Fault:
    """Return the Fault of a label file. outside: its ids that are no class; counts: pixels of every id."""
    listed = ", ".join(f"{i} ({counts[i]} pixels)" for i in outside[:IDS_LISTED])
    more = f" and {len(outside) - IDS_LISTED} more" if len(outside) > IDS_LISTED else ""
    fix = f"map it to 0..{n_classes - 1}, raise --n_classes, or give a void id as --ignore_label"
    if n_classes == 2 and outside.max() > 127:
        fix = "if it is a grey mask: cv2.imwrite(file, (mask > 127).astype('uint8')); else " + fix
    return Fault(path, f"holds ids outside 0..{n_classes - 1}: {listed}{more}", fix)
