"""Every fault of a data set, of two folders or of a name, each with its file and its cure."""

import os
from collections.abc import Collection, Sequence

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.registry import find, root_of
from segnet_hpu.data.faults import BadFile, Fault
from segnet_hpu.data.file_pairs import Pair, match_files
from segnet_hpu.data.image_coding import PLAIN, ImageCoding
from segnet_hpu.data.image_files import COPY_ANEW
from segnet_hpu.data.jpeg_damage import HARMLESS, corrupt_jpegs
from segnet_hpu.data.label_palettes import LabelPalettes
from segnet_hpu.data.left_out import tell_left_out_of_folders, tell_left_out_of_split
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.data.source import DataSetSource, PairSource, wrong_size
from segnet_hpu.errors import warn
from segnet_hpu.files import StrPath
from segnet_hpu.progress import progress


def verify_pairs(images_dir: StrPath, labels_dir: StrPath, n_classes: int, ignore_label: int | None = None,
                 threads: int | None = None, coding: ImageCoding = PLAIN,
                 palettes: LabelPalettes | None = None) -> list[Fault]:
    """Return the faults of two folders in the order of the files; empty if there are none.

    n_classes: allowed ids are 0..n_classes-1. ignore_label: one more allowed id, and 255 with it; or None, neither.
    threads: files are read by so many (default: one a core). coding: how the image files are meant. palettes: see
    LabelCheck. What is odd, but no fault, is warned of. Raises UsageError for a missing or empty folder and for one
    folder given twice.
    """
    return verify_folders(images_dir, labels_dir, n_classes, ignore_label, threads, coding, palettes)[1]


def verify_folders(images_dir: StrPath, labels_dir: StrPath, n_classes: int | None, ignore_label: int | None = None,
                   threads: int | None = None, coding: ImageCoding = PLAIN,
                   palettes: LabelPalettes | None = None) -> tuple[int, list[Fault]]:
    """Return (number of pairs, faults) of two folders; see `verify_pairs`. n_classes: None allows all ids."""
    pairs, faults = match_files(images_dir, labels_dir)
    told = [Pair(fault.file, fault.file) for fault in faults]
    tell_left_out_of_folders(images_dir, labels_dir, [*pairs, *told])
    source = PairSource(pairs).reading(coding).checked(n_classes, ignore_label, palettes)
    return len(pairs), faults + check_source(source, threads=threads)


def verify_split(name: str | DataSet, root: StrPath | None, split: str, n_classes: int,
                 ignore_label: int | None = None, coding: ImageCoding = PLAIN,
                 palettes: LabelPalettes | None = None) -> tuple[DataSetSource, list[Fault]]:
    """Return (source, faults): a split's pairs, as open_dataset gives them, and a list of Fault.

    n_classes: labels are 0..n_classes-1 or void. ignore_label: one more id, which is void. coding: how the image
    files are meant, before what the data set says. palettes: see LabelCheck. A candidate whose image or label is
    missing is a fault and no pair. Raises as open_dataset, but not for those.
    """
    dataset = find(name)
    folder = root_of(dataset, root)
    source, missing = dataset.open(folder, split)
    tell_left_out_of_split(dataset, folder, split)
    source = source.ignoring(ignore_label).reading(coding)
    checked = source.checked(n_classes, palettes=palettes)
    return source, [_missing(pair) for pair in missing] + check_source(checked, dataset.class_names)


def check_source(source: PairSource, class_names: Sequence[str] | None = None,
                 threads: int | None = None) -> list[Fault]:
    """Return the faults of a checked source's files, in their order, then of JPEGs' data, then of all labels.

    Where there is none, what is odd is warned of. One sample is in memory at a time and thread.
    """
    threads = threads or CORES
    results = prefetched(lambda i: _pair_faults(source, i), range(len(source)), threads, ahead=4 * threads)
    faults = [fault for found in progress(results, len(source), "verified") for fault in found]
    faults += _corrupt_images(source, {fault.file for fault in faults})
    check = source.label_check
    if faults or check is None:
        return faults
    faults = check.faults()
    for line in () if faults else check.oddities(class_names):
        warn(line)
    source.warn_of_images()
    return faults


def _corrupt_images(source: PairSource, known: Collection[str]) -> list[Fault]:
    """The faults of images whose compressed data are corrupt; warns of what may be harmless. known: passed over."""
    corrupt = corrupt_jpegs([path for path in dict.fromkeys(source.image_files) if path not in known])
    harmless = [path for path, words in corrupt.items() if HARMLESS in words]
    if harmless:
        warn(f"{len(harmless)} of {len(source)} images are JPEGs with superfluous data, such as {harmless[0]} "
             f"({corrupt[harmless[0]]}): look whether they are whole")
    return [Fault(path, f"is damaged ({words})", COPY_ANEW)
            for path, words in corrupt.items() if HARMLESS not in words]


def _pair_faults(source: PairSource, i: int) -> list[Fault]:
    faults, image = [], None
    try:
        image = source.image(i)
    except BadFile as error:
        faults.append(Fault.of(error))
    try:
        label = source.label(i)
    except BadFile as error:
        return [*faults, Fault.of(error)]
    if image is not None and image.shape[:2] != label.shape:
        faults.append(Fault.of(wrong_size(source.pairs[i].label, label, source.pairs[i].image, image)))
    return faults


def _missing(pair: Pair) -> Fault:
    if not os.path.exists(pair.image):
        return Fault(pair.image, "is missing", "copy it from the data set")
    return Fault(pair.image, f"has no label {pair.label}", "copy that from the data set, or remove the image")
