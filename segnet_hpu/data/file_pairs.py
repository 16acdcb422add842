"""Image and label files that belong together by their stems (keras_segmentation's layout)."""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from segnet_hpu.data.faults import Fault, refuse
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

IMAGE_FORMATS = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
LABEL_FORMATS = (".png", ".bmp", ".tif", ".tiff", ".webp")
EARLIER_FORMATS = (".jpg", ".jpeg", ".png", ".bmp")  # beside one of these a file of another format is passed over

PathsByStem = dict[str, list[str]]


class Pair(NamedTuple):
    """The paths of an image and of its label."""

    image: str
    label: str


def pair_paths(images_dir: StrPath, labels_dir: StrPath) -> list[Pair]:
    """Return the pairs of two folders, sorted by stem; raises UsageError as `match_files` and for the first fault."""
    pairs, faults = match_files(images_dir, labels_dir)
    refuse(faults)
    return pairs


def match_files(images_dir: StrPath, labels_dir: StrPath) -> tuple[list[Pair], list[Fault]]:
    """Return the pairs of two folders, sorted by stem, and the faults of names: missing partners and shared stems.

    Images and labels have the endings IMAGE_FORMATS, in any case; hidden files and others are passed over.
    Subfolders are searched where both folders have them. Raises UsageError for a missing or empty folder and for one
    folder given for both.
    """
    # JPEG labels are listed too, so that they are reported as such rather than as missing.
    images, labels = files_of_both(images_dir, labels_dir)
    faults = []
    for stems in (images, labels):
        for paths in stems.values():
            faults += [Fault(path, f"shares its stem with {os.path.basename(paths[0])}", "keep one of them")
                       for path in paths[1:]]
    for stem in sorted(images.keys() ^ labels.keys()):
        if stem in images:
            faults.append(Fault(images[stem][0], f"has no label in {labels_dir}",
                                f"add {stem}.png or .bmp there or remove the image"))
        else:
            faults.append(Fault(labels[stem][0], f"has no image in {images_dir}",
                                f"add {stem}.jpg or .png there or remove the label"))
    return [Pair(images[s][0], labels[s][0]) for s in sorted(images.keys() & labels.keys())], faults


def candidate_pairs(images_dir: StrPath, labels_dir: StrPath) -> Iterator[Pair]:
    """Yield the pairs sorted by stem; an image without label has the path of a PNG that is not there.

    Raises UsageError as `match_files`, and for two files of one stem.
    """
    images, labels = (only_one(folder, stems) for folder, stems in
                      zip((images_dir, labels_dir), files_of_both(images_dir, labels_dir), strict=True))
    for stem in sorted(images):
        yield Pair(images[stem], labels.get(stem) or os.path.join(labels_dir, f"{stem}.png"))


def files_of_both(images_dir: StrPath, labels_dir: StrPath) -> tuple[PathsByStem, PathsByStem]:
    """Return {stem: [path, ...]} of the images and of the labels; raises UsageError as `match_files`."""
    refuse_one_folder(images_dir, labels_dir)
    images = files_by_stem(images_dir, IMAGE_FORMATS, leave=labels_dir)
    labels = files_by_stem(labels_dir, IMAGE_FORMATS, leave=images_dir, expected=LABEL_FORMATS)
    return in_folders_of_both(images, labels)


def refuse_one_folder(images_dir: StrPath, labels_dir: StrPath) -> None:
    """Raise UsageError for one folder that is given for both images and labels."""
    if os.path.isdir(images_dir) and os.path.isdir(labels_dir) and os.path.samefile(images_dir, labels_dir):
        raise UsageError(f"{images_dir} is given for both images and labels; expected two folders")


def in_folders_of_both(images: PathsByStem, labels: PathsByStem) -> tuple[PathsByStem, PathsByStem]:
    """Return the images and labels of those subfolders that both have; all where none is in such a one."""
    in_both = {""} | set(map(os.path.dirname, images)) & set(map(os.path.dirname, labels))
    if in_both.isdisjoint(map(os.path.dirname, images)):
        return images, labels
    images, labels = ({stem: paths for stem, paths in stems.items() if os.path.dirname(stem) in in_both}
                      for stems in (images, labels))
    return images, labels


def files_by_stem(folder: StrPath, formats: Collection[str], *, below: bool = True, leave: StrPath | None = None,
                  expected: Collection[str] | None = None) -> PathsByStem:
    """Return {stem: [path, ...]} of a folder's visible files in these formats (lower-case suffixes).

    below: list subfolders too; their files' stems are "a/b". leave: a folder that is passed over. expected: formats
    to name in errors. Raises UsageError for a folder that is missing or holds none.
    """
    told = f"expected a folder of {' '.join(expected or formats)} files"
    try:
        stems = stems_in(folder, formats, below, leave)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror}); {told}") from None
    if not stems:
        raise UsageError(f"{folder} holds no such file; {told}")
    return stems


def stems_in(folder: StrPath, formats: Collection[str], below: bool = True,
             leave: StrPath | None = None) -> PathsByStem:
    """Return what `files_by_stem` does; raises OSError for a folder that cannot be read."""
    stems: PathsByStem = {}
    for name in visible_files(folder, below, leave):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in formats:
            stems.setdefault(stem, []).append(os.path.join(folder, name))
    return {stem: [path for path in paths if _is_earlier(path)] or paths for stem, paths in stems.items()}


def visible_files(folder: StrPath, below: bool = True, leave: StrPath | None = None,
                  prefix: str = "") -> Iterator[str]:
    """Yield the names of a folder's files, sorted, then a/b of those in its subfolders unless `below` is False.

    Hidden ones and the folder `leave` are passed over. Links to files that are not there are files, which reading
    refuses. Raises OSError for a folder that cannot be read.
    """
    leave = leave and os.path.realpath(leave)
    entries = sorted((entry for entry in os.scandir(folder) if not entry.name.startswith(".")), key=lambda e: e.name)
    yield from (prefix + entry.name for entry in entries if is_file_or_lost(entry.path))
    for entry in entries if below else ():
        if entry.is_dir(follow_symlinks=False) and os.path.realpath(entry.path) != leave:
            yield from visible_files(entry.path, below, leave, f"{prefix}{entry.name}/")


def is_file_or_lost(path: str) -> bool:
    """Whether a file lies at a path, or a link to one that is not there."""
    return os.path.isfile(path) or (os.path.islink(path) and not os.path.exists(path))


def only_one(folder: StrPath, stems: PathsByStem) -> dict[str, str]:
    """Return {stem: path}; raises UsageError if two files share a stem."""
    for paths in stems.values():
        if len(paths) > 1:
            names = " and ".join(os.path.basename(path) for path in paths)
            raise UsageError(f"{folder} holds {names}: one stem, two files. Keep one of them")
    return {stem: paths[0] for stem, paths in stems.items()}


def stem_of(path: StrPath) -> str:
    """Return a file's name without its folder and its last suffix."""
    return os.path.splitext(os.path.basename(path))[0]


def name_below(path: StrPath, folder: StrPath) -> str:
    """Return a_b_stem for folder/a/b/stem.suffix."""
    return os.path.splitext(os.path.relpath(path, folder))[0].replace(os.sep, "_")


def held_out(paths: Iterable[str], count: int, seed: int) -> set[str]:
    """Return `count` of the paths: those whose stems have the smallest SHA-1 together with the seed.

    So the choice depends neither on the order, the folder or the suffix nor on any version of any library, and a
    file more changes at most one of the others.
    """
    def rank(path: str) -> bytes:
        return hashlib.sha1(os.fsencode(f"{seed}/{stem_of(path)}")).digest()

    return set(sorted(paths, key=rank)[:count])


def _is_earlier(path: str) -> bool:
    return os.path.splitext(path)[1].lower() in EARLIER_FORMATS
