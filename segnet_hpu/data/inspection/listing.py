"""The pictures and lists below a folder, in series: the files of one folder, of one suffix where stems repeat."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from segnet_hpu.data.file_pairs import IMAGE_FORMATS
from segnet_hpu.errors import UsageError

LISTS = (".txt", ".lst")


@dataclass(frozen=True)
class Series:
    """Files of one folder whose stems differ. folder: its names from the root on. files: {stem: name}."""

    folder: tuple[str, ...]
    files: dict[str, str] = field(hash=False, compare=False)
    suffixes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files)

    def path(self, root: str, stem: str) -> str:
        """Return the path of the file of a stem."""
        return os.path.join(root, *self.folder, self.files[stem])


@dataclass
class Listing:
    """What lies below a root. lists: paths of text files, relative to it. others: {suffix: number of files}."""

    root: str
    series: list[Series] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)


def list_folder(root: str) -> Listing:
    """Return what lies below a folder, hidden files aside. Raises UsageError where there are no pictures."""
    listing = Listing(root)
    for folder, names in _folders(root):
        pictures: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name in names:
            stem, suffix = os.path.splitext(name)
            if suffix.lower() in IMAGE_FORMATS:
                pictures[suffix].append((stem, name))
            elif suffix.lower() in LISTS:
                listing.lists.append("/".join((*folder, name)))
            else:
                listing.others[suffix.lower()] += 1
        listing.series += _series(folder, pictures)
    if not listing.series:
        others = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in listing.others.most_common(4))
        raise UsageError(f"{root} holds no pictures {' '.join(IMAGE_FORMATS)}{', but ' + others if others else ''}; "
                         "expected the folder of a data set")
    return listing


def _folders(root: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield (names of a folder from the root on, its visible files), in order."""
    if not os.path.isdir(root):
        raise UsageError(f"{root} is no folder; expected the folder of a data set")
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = os.path.relpath(folder, root)
        yield (() if relative == "." else tuple(relative.split(os.sep))), sorted(
            name for name in files if not name.startswith("."))


def _series(folder: tuple[str, ...], pictures: dict[str, list[tuple[str, str]]]) -> list[Series]:
    """One series of all suffixes where no stem repeats, else one a suffix."""
    together = [pair for pairs in pictures.values() for pair in pairs]
    if len(dict(together)) == len(together):
        return [Series(folder, dict(together), tuple(sorted(pictures)))] if together else []
    return [Series(folder, dict(pairs), (suffix,)) for suffix, pairs in sorted(pictures.items())]
