"""The pictures and lists below a folder, in series: the files of one folder, of one suffix where stems repeat."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
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
        listing.series += series_of(folder, names)
        for name in names:
            suffix = os.path.splitext(name)[1].lower()
            if suffix in LISTS:
                listing.lists.append("/".join((*folder, name)))
            elif suffix not in IMAGE_FORMATS:
                listing.others[suffix] += 1
    if not listing.series:
        others = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in listing.others.most_common(4))
        raise UsageError(f"{root} holds no pictures {' '.join(IMAGE_FORMATS)}{', but ' + others if others else ''}; "
                         "expected the folder of a data set")
    return listing


def series_of(folder: tuple[str, ...], names: Iterable[str]) -> list[Series]:
    """Return the pictures among the files of a folder as one series, or one a suffix where stems repeat."""
    pictures: dict[str, dict[str, str]] = defaultdict(dict)
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in IMAGE_FORMATS:
            pictures[suffix][stem] = name
    together = {stem: name for files in pictures.values() for stem, name in files.items()}
    if len(together) == sum(map(len, pictures.values())):
        return [Series(folder, together, tuple(sorted(pictures)))] if together else []
    return [Series(folder, files, (suffix,)) for suffix, files in sorted(pictures.items())]


def _folders(root: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield (names of a folder from the root on, its visible files), in order."""
    if not os.path.isdir(root):
        raise UsageError(f"{root} is no folder; expected the folder of a data set")
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        relative = os.path.relpath(folder, root)
        yield (() if relative == "." else tuple(relative.split(os.sep))), sorted(
            name for name in files if not name.startswith("."))
