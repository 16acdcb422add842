"""How a data set's files lie, and what is said where they do not: the tree that should be beside what was found."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from segnet_hpu.errors import UsageError

DEPTH, PER_FOLDER, LINES = 4, 3, 32


class Split(NamedTuple):
    """The files of one part of a data set, below its root.

    images, labels: two patterns; the texts that the stars of the first stand for fill the stars of the
    second. Without a star: two folders, paired by stem. listed: a file of the texts for a single star, one a line.
    """

    images: str
    labels: str
    listed: str | None = None


class LayoutError(UsageError):
    """Files of a data set are missing or lie elsewhere. It alone has several lines: the first says what is wrong."""


def layout_error(name: str, splits: Collection[Split], root: str, what: str) -> LayoutError:
    """Return the LayoutError of data set `name`: what is wrong, the expected tree, and what was found at `root`."""
    elsewhere = _elsewhere(splits, root)
    hint = f"; it seems to lie in {elsewhere}: give that as --data_root" if elsewhere else ""
    found = [] if os.path.isdir(root) else ["(no such folder)"]
    found = found or list(_paths_below(root, DEPTH)) or ["(nothing)"]
    return LayoutError("\n".join([
        f"--dataset {name}: {what}{hint}", "expected (* stands for any text):",
        *tree(root, expected_paths(splits)), "found:", *tree(root, found)[:LINES],
        *["    ..."] * (len(found) >= LINES)]))


def expected_paths(splits: Iterable[Split]) -> list[str]:
    """Return the patterns of all files of the splits, for a picture of the layout."""
    return [path if "*" in path or "." in path else f"{path}/*" for split in splits for path in split if path]


def tree(root: str, paths: Iterable[str]) -> list[str]:
    """Return lines that draw the paths, relative to `root`, each folder's together and one level deeper."""
    nested: dict[str, dict] = {}
    for path in paths:
        at = nested
        for part in path.split("/"):
            at = at.setdefault(part, {})
    return [f"  {root}/", *_draw(nested, 2)]


def _draw(nested: Mapping[str, Mapping], depth: int) -> Iterator[str]:
    for name, below in nested.items():
        if name:
            yield "  " * depth + name + ("/" if below else "")
            yield from _draw(below, depth + 1)


def _paths_below(root: str, depth: int) -> Iterator[str]:
    """Yield paths below the root, a few of each folder, folders with a slash at the end."""
    names = _names(root)
    # Folders tell more about a layout than files do.
    names.sort(key=lambda name: not os.path.isdir(os.path.join(root, name)))
    for name in names[:PER_FOLDER] if len(names) > PER_FOLDER + 1 else names:
        path = os.path.join(root, name)
        yield f"{name}/" if os.path.isdir(path) else name
        if depth > 1:
            yield from (f"{name}/{below}" for below in _paths_below(path, depth - 1))
    if len(names) > PER_FOLDER + 1:
        yield f"... ({len(names) - PER_FOLDER} more)"


def _elsewhere(splits: Iterable[Split], root: str) -> str | None:
    """Return the folder near the root, up to two levels below it or right above, where a split's folders lie."""
    below = [os.path.join(root, name) for name in _names(root)]
    deeper = [os.path.join(folder, name) for folder in below for name in _names(folder)]
    places = [*below, *deeper, os.path.dirname(os.path.abspath(root))]
    tops = {tuple(path.split("/")[0] for path in split if path) for split in splits}
    return next((place for place in places for names in tops if "*" not in "".join(names)
                 and all(os.path.exists(os.path.join(place, top)) for top in names)), None)


def _names(folder: str) -> list[str]:
    """The visible names in a folder, sorted; none where it is none or may not be read."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError:
        return []
