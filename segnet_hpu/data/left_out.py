"""What folders and patterns leave out is told: a picture that is not read is missing from every figure."""

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.folder import Folder
from segnet_hpu.data.datasets.layout import LayoutError
from segnet_hpu.data.datasets.patterns import lower_suffix, texts_of_stars
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, Pair, visible_files
from segnet_hpu.errors import warn
from segnet_hpu.files import StrPath

# What else pictures and labels come as, but is not read.
OTHER_FORMATS = (".gif", ".jp2", ".j2k", ".jxl", ".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm", ".pnm", ".exr",
                 ".hdr", ".psd", ".svg", ".dng", ".dcm", ".nii", ".npy", ".npz", ".mat")
LISTED = 4


def tell_left_out(folder: StrPath, taken: Collection[str], leave: StrPath | None = None) -> None:
    """Warn of pictures in and below a folder whose paths are not among those `taken`. leave: not looked into."""
    _warn(folder, _others(folder, taken, leave))
    line = linked_folders(folder, leave)
    if line:
        warn(line)


def tell_left_out_of_folders(images_dir: StrPath, labels_dir: StrPath, pairs: Iterable[Pair]) -> None:
    """Warn of pictures in and below two folders that are in none of the pairs."""
    taken = {path for pair in pairs for path in pair}
    tell_left_out(images_dir, taken, leave=labels_dir)
    tell_left_out(labels_dir, taken, leave=images_dir)


def tell_left_out_of_split(dataset: DataSet, root: str, split: str) -> None:
    """Warn of pictures where a split's images lie that belong to none of the data set's splits.

    Where patterns say which, these are files that differ by their suffix or lie deeper. A split with a list and a
    data set with rules of its own mean what they leave out.
    """
    if type(dataset) not in (DataSet, Folder) or dataset.split_files(split).listed:
        return
    taken = {path for name in dataset.splits for pair in _candidates(dataset, root, name) for path in pair}
    folders = {os.path.dirname(pair.image) for pair in _candidates(dataset, root, split)}
    for images, labels, _ in dataset.patterns(split):
        if "*" in images:
            _tell_of_pattern(images, folders, taken)
        elif os.path.isdir(os.path.join(root, images)):
            tell_left_out(os.path.join(root, images), taken, leave=os.path.join(root, labels))


def _tell_of_pattern(pattern: str, folders: Iterable[str], taken: Collection[str]) -> None:
    name_pattern = lower_suffix(os.path.basename(pattern))
    stem_pattern = os.path.splitext(name_pattern)[0]
    for folder in sorted(folders):
        here = [name for name in _others(folder, taken, below=False)
                if texts_of_stars(stem_pattern, os.path.splitext(name)[0]) is not None]
        deeper = [name for name in _others(folder, taken) if "/" in name
                  and texts_of_stars(name_pattern, lower_suffix(os.path.basename(name))) is not None]
        _warn(folder, here + deeper, f" by {pattern}")


def _others(folder: StrPath, taken: Collection[str], leave: StrPath | None = None, below: bool = True) -> list[str]:
    """The names of a folder's pictures that are not taken."""
    return [name for name in visible_files(folder, below, leave)
            if os.path.splitext(name)[1].lower() in IMAGE_FORMATS + OTHER_FORMATS
            and os.path.join(folder, name) not in taken]


def linked_folders(folder: StrPath, leave: StrPath | None = None) -> str | None:
    """Return in words which links to folders lie in and below a folder, None for none. leave: not looked into."""
    linked = sorted(_linked_folders(folder, leave))
    more = ", ..." if len(linked) > LISTED else ""
    return (f"not looked into in {folder}: {', '.join(linked[:LISTED])}{more}, links to folders; put folders in "
            "their places to have their files read") if linked else None


def _linked_folders(folder: StrPath, leave: StrPath | None) -> Iterator[str]:
    """Yield the links to folders, which are passed over as they may lead in circles."""
    aside = leave and os.path.realpath(leave)
    for place, names, _ in os.walk(folder):
        names[:] = [name for name in names if not name.startswith(".")
                    and os.path.realpath(os.path.join(place, name)) != aside]
        yield from (os.path.relpath(os.path.join(place, name), folder) for name in names
                    if os.path.islink(os.path.join(place, name)))


def _candidates(dataset: DataSet, root: str, split: str) -> Iterator[Pair]:
    with contextlib.suppress(LayoutError):  # of another split, which is not there
        yield from dataset.candidates(root, split)


def _warn(folder: StrPath, names: Collection[str], by: str = "") -> None:
    if names:
        kinds = Counter(os.path.splitext(name)[1] for name in names)
        counts = ", ".join(f"{count} {suffix}" for suffix, count in kinds.most_common())
        listed = ", ".join(sorted(names)[:LISTED]) + (", ..." if len(names) > LISTED else "")
        warn(f"not read{by} in {folder}: {counts} ({listed})")
