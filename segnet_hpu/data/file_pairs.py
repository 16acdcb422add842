"""Image and label files that belong together by their stems (keras_segmentation's layout)."""

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath

IMAGE_FORMATS = (".jpg", ".jpeg", ".png", ".bmp")
LABEL_FORMATS = (".png", ".bmp")

PathsByStem = dict[str, list[str]]


class Pair(NamedTuple):
    """The paths of an image and of its label."""

    image: str
    label: str


def pair_paths(images_dir: StrPath, labels_dir: StrPath) -> list[Pair]:
    """Return the pairs of two folders, sorted by stem.

    Images are .jpg, .jpeg, .png or .bmp, labels .png or .bmp (in any case); other files, hidden files and
    labels without image are passed over. Raises UsageError for a missing or empty folder, one folder
    for both, an image without label, and files that share a stem.
    """
    images, labels = _unique_files(images_dir, labels_dir)
    missing = sorted(stem for stem in images if stem not in labels)
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UsageError(f"{images[missing[0]]}{more} has no label; expected {missing[0]}.png or .bmp "
                         f"in {labels_dir}. Add the label or remove the image")
    return [Pair(images[stem], labels[stem]) for stem in sorted(images)]


def candidate_pairs(images_dir: StrPath, labels_dir: StrPath) -> Iterator[Pair]:
    """Yield the pairs sorted by stem; an image without label has the path of a PNG that is not there.

    Raises UsageError as `pair_paths`, but not for images without label.
    """
    images, labels = _unique_files(images_dir, labels_dir)
    for stem in sorted(images):
        yield Pair(images[stem], labels.get(stem) or os.path.join(labels_dir, f"{stem}.png"))


def files_of_both(images_dir: StrPath, labels_dir: StrPath,
                  label_formats: Collection[str]) -> tuple[PathsByStem, PathsByStem]:
    """Return {stem: [path, ...]} of the images and of the labels; raises UsageError as `pair_paths`."""
    if os.path.isdir(images_dir) and os.path.isdir(labels_dir) and os.path.samefile(images_dir, labels_dir):
        raise UsageError(f"{images_dir} is given for both images and labels; expected two folders")
    return files_by_stem(images_dir, IMAGE_FORMATS), files_by_stem(labels_dir, label_formats)


def files_by_stem(folder: StrPath, formats: Collection[str]) -> PathsByStem:
    """Return {stem: [path, ...]} of the folder's visible files in these formats (lower-case suffixes).

    Raises UsageError for a folder that is missing or holds none.
    """
    expected = f"expected a folder of {' '.join(formats)} files"
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror}); {expected}") from None
    stems: PathsByStem = {}
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in formats and not name.startswith("."):
            stems.setdefault(stem, []).append(os.path.join(folder, name))
    if not stems:
        raise UsageError(f"{folder} holds no such file; {expected}")
    return stems


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


def held_out(paths: Iterable[str], count: int, seed: int) -> set[str]:
    """Return `count` of the paths: those whose stems have the smallest SHA-1 together with the seed.

    So the choice depends neither on the order, the folder or the suffix nor on any version of any library, and a
    file more changes at most one of the others.
    """
    def rank(path: str) -> bytes:
        return hashlib.sha1(os.fsencode(f"{seed}/{stem_of(path)}")).digest()

    return set(sorted(paths, key=rank)[:count])


def _unique_files(images_dir: StrPath, labels_dir: StrPath) -> tuple[dict[str, str], dict[str, str]]:
    """Return {stem: path} of the images and of the labels."""
    images, labels = files_of_both(images_dir, labels_dir, LABEL_FORMATS)
    return only_one(images_dir, images), only_one(labels_dir, labels)
