"""Patterns of paths: a star stands for any text within one name."""

import os
import re
from collections.abc import Iterator, Sequence

from segnet_hpu.files import StrPath


def fixed_folder(pattern: str) -> str:
    """Return the folder of a pattern up to its first star: "a/b" of "a/b/*/c_*.png"."""
    parts = pattern.partition("*")[0].split("/")
    return "/".join(parts[:-1])


def matches(root: StrPath, pattern: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (path, texts that its stars stand for) of the files below `root`, sorted; hidden ones are passed over.

    One folder is listed at a time.
    """
    yield from _walk(os.fspath(root), pattern.split("/"), ())


def fill(pattern: str, texts: Sequence[str]) -> str:
    """Return the pattern with its stars replaced by the texts, in order.

    >>> fill("gtFine/*/*_labelIds.png", ("jena", "000001"))
    'gtFine/jena/000001_labelIds.png'
    """
    pieces = pattern.split("*")
    return pieces[0] + "".join(text + piece for text, piece in zip(texts, pieces[1:], strict=True))


def _walk(folder: str, parts: Sequence[str], texts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not parts:
        if os.path.isfile(folder):
            yield folder, texts
        return
    head, *rest = parts
    if "*" not in head:
        yield from _walk(os.path.join(folder, head), rest, texts)
        return
    regex = re.compile("(.*)".join(map(re.escape, head.split("*"))), re.DOTALL)
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        match = regex.fullmatch(name)
        if match and not name.startswith("."):
            yield from _walk(os.path.join(folder, name), rest, texts + match.groups())
