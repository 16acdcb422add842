"""Every fault of a data set of two folders, each with its file and its cure."""

import os
from dataclasses import dataclass

import numpy as np

from segnet_hpu.constants import void_ids
from segnet_hpu.data import containers
from segnet_hpu.data.folder_source import IMAGE_FORMATS, files_of_both, wrong_size
from segnet_hpu.data.images import BadFile, blue_channel, read_image, read_label_channels
from segnet_hpu.data.prefetch import prefetched
from segnet_hpu.progress import progress

IDS_LISTED = 8


@dataclass(frozen=True)
class Fault:
    """What is wrong with a file (or folder), and how to mend it."""

    file: str
    what: str
    fix: str

    def __str__(self):
        return f"{self.file} {self.what}; {self.fix}"


def verify_pairs(images_dir, labels_dir, n_classes, ignore_label=None, threads=None):
    """Return the data set's faults, a list of Fault in the order of the files; empty if there are none.

    n_classes: allowed ids are 0..n_classes-1. ignore_label: one more allowed id, and 255 with it; or None, neither.
    threads: files are read by so many (default: one a core). Raises UsageError for a missing or empty folder and
    for one folder given twice.
    """
    pairs, faults = match_files(images_dir, labels_dir)
    return faults + check_pairs(pairs, n_classes, ignore_label, threads)


def match_files(images_dir, labels_dir):
    """Return ([(image path, label path), ...], faults of names): missing partners and shared stems."""
    # JPEG labels are listed too, so that they are reported as such rather than as missing.
    images, labels = files_of_both(images_dir, labels_dir, IMAGE_FORMATS)
    faults = []
    for stems in (images, labels):
        for paths in stems.values():
            faults += [Fault(path, f"shares its stem with {os.path.basename(paths[0])}", "keep one of them")
                       for path in paths[1:]]
    for stem in sorted(images.keys() ^ labels.keys()):
        if stem in images:
            faults.append(Fault(images[stem][0], f"has no label in {labels_dir}",
                                f"add {stem}.png there or remove the image"))
        else:
            faults.append(Fault(labels[stem][0], f"has no image in {images_dir}",
                                f"add {stem}.jpg or .png there or remove the label"))
    return [(images[s][0], labels[s][0]) for s in sorted(images.keys() & labels.keys())], faults


def check_pairs(pairs, n_classes, ignore_label=None, threads=None):
    """Return the faults inside the files of [(image path, label path), ...]; see `verify_pairs`."""
    faults, seen = [], set()
    threads = threads or os.cpu_count()
    results = prefetched(lambda pair: _check_pair(*pair, n_classes, ignore_label), pairs, threads, ahead=4 * threads)
    for found, ids in progress(results, len(pairs), "verified"):
        faults += found
        seen |= ids
    # With 255 ignored no single mask of 0 and 255 is suspicious, but a whole set of them is.
    if not faults and ignore_label is not None and n_classes > 1 and seen == {0, 255}:
        faults.append(_binary_fault(os.path.dirname(pairs[0][1]), "holds only masks of 0 and 255 (ignored)"))
    return faults


def _check_pair(image_path, label_path, n_classes, ignore_label):
    """Return (faults, ids in the label) of one pair."""
    faults, image, label = [], None, None
    try:
        image = read_image(image_path)
    except BadFile as error:
        faults.append(Fault(error.file, error.what, error.fix))
    try:
        label = read_label_channels(label_path)
    except BadFile as error:
        return [*faults, Fault(error.file, error.what, error.fix)], set()
    if image is not None and image.shape[:2] != label.shape[:2]:
        error = wrong_size(label_path, label, image_path, image)
        faults.append(Fault(error.file, error.what, error.fix))
    found, ids = _check_label(label_path, label, n_classes, ignore_label)
    return faults + found, ids


def _check_label(path, label, n_classes, ignore_label):
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
        return [_binary_fault(path, f"is a mask of 0 and 255 ({counts[255]} pixels)")], set()
    return [outside_fault(path, outside, counts, n_classes)], set()


def _is_coloured(label):
    """Channels differ, except where only blue is used, as some tools write ids for keras_segmentation."""
    if label.ndim == 2:
        return False
    blue, green, red = label[:, :, 0], label[:, :, 1], label[:, :, 2]
    only_blue = not green.any() and not red.any()
    return not only_blue and not (np.array_equal(blue, green) and np.array_equal(blue, red))


def _binary_fault(file, what):
    return Fault(file, what, "convert 255 to 1: cv2.imwrite(file, (mask > 127).astype('uint8'))")


def outside_fault(path, outside, counts, n_classes):
    """Return the Fault of a label file. outside: its ids that are no class; counts: pixels of every id."""
    listed = ", ".join(f"{i} ({counts[i]} pixels)" for i in outside[:IDS_LISTED])
    more = f" and {len(outside) - IDS_LISTED} more" if len(outside) > IDS_LISTED else ""
    fix = f"map it to 0..{n_classes - 1}, raise --n_classes, or give a void id as --ignore_label"
    if n_classes == 2 and outside.max() > 127:
        fix = "if it is a grey mask: cv2.imwrite(file, (mask > 127).astype('uint8')); else " + fix
    return Fault(path, f"holds ids outside 0..{n_classes - 1}: {listed}{more}", fix)
