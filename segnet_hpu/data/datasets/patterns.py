"""Patterns of paths: a star stands for any text within one name."""

import os
from collections.abc import Iterator, Sequence

from segnet_hpu.data.file_pairs import is_file_or_lost
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


def texts_of_stars(pattern: str, name: str) -> tuple[str, ...] | None:
    """Return the texts that a pattern's stars stand for in a name, the first as long as can be; None without a match.

    Each piece between stars is looked for once, from the end: linear, where a regular expression tries all ways.

    >>> texts_of_stars("*_*.png", "a_b_c.png")
    ('a_b', 'c')
    """
    first, *others = pattern.split("*")
    if not name.startswith(first) or not name.endswith(others[-1]):
        return None
    end, texts = len(name), []
    for number, piece in enumerate(reversed(others)):
        start = name.rfind(piece, len(first), end) if number else end - len(piece)
        if start < len(first):
            return None
        if number:
            texts.append(name[start + len(piece):end])
        end = start
    return (name[len(first):end], *reversed(texts))


def other_case(path: str) -> str:
    """Return the path of a file that is there and differs in its suffix's case alone; else `path` itself."""
    stem, suffix = os.path.splitext(path)
    return next((stem + other for other in (suffix.lower(), suffix.upper()) if os.path.exists(stem + other)), path)


def lower_suffix(path: str) -> str:
    """Return the path with its suffix in lower case."""
    stem, suffix = os.path.splitext(path)
    return stem + suffix.lower()


def _walk(folder: str, parts: Sequence[str], texts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if not parts:
        if is_file_or_lost(folder):
            yield folder, texts
        return
    head, *rest = parts
    if "*" not in head:
        yield from _walk(os.path.join(folder, head), rest, texts)
        return
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        found = texts_of_stars(head, name) if rest else texts_of_stars(lower_suffix(head), lower_suffix(name))
        if found is not None and not name.startswith("."):
            yield from _walk(os.path.join(folder, name), rest, texts + found)
