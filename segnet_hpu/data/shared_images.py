"""Images that a network is trained with and judged by, whose scores say nothing of new ones."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.errors import warn

SAMPLE = 1 << 12  # bytes that tell most pictures of one size apart


def warn_of_shared_images(train: Sequence[Pair], validation: Sequence[Pair]) -> None:
    """Warn as `shared_images` says."""
    line = shared_images(train, validation)
    if line:
        warn(line)


def shared_images(train: Sequence[Pair], others: Sequence[Pair], purpose: str = "validation") -> str | None:
    """Return in words which images of `train` are among the others too, under whatever name; None for none.

    purpose: of the others.
    """
    found = same_images([pair.image for pair in train], [pair.image for pair in others])
    if not found:
        return None
    path, trained = min(found.items())
    example = path if trained == path else f"{path}, the same picture as {trained}"
    return (f"{len(found)} of {len(others)} images for {purpose} are trained with as well, such as {example}: their "
            "scores do not tell how good the network is on new images. Take them out of one of the two; a folder "
            "holds the images of its subfolders too")


def same_images(paths: Sequence[str], others: Sequence[str]) -> dict[str, str]:
    """Return {path of the others: one of `paths` that is the same file, or has the same bytes}."""
    files = {os.path.realpath(path): path for path in paths}
    same = {other: files[os.path.realpath(other)] for other in others if os.path.realpath(other) in files}
    others = [other for other in others if other not in same]
    for trait in (os.path.getsize, _sample):  # so that few files are read as a whole
        known, found = _by_trait(trait, paths), _by_trait(trait, others)
        paths = [path for value in known if value in found for path in known[value]]
        others = [path for value in found if value in known for path in found[value]]
    contents = _by_trait(_content, paths)
    for content, copies in _by_trait(_content, others).items():
        same |= {copy: contents[content][0] for copy in copies if content in contents}
    return same


def _by_trait(trait: Callable[[str], Any], paths: Iterable[str]) -> dict[Any, list[str]]:
    """Return {trait: paths of the files that have it}; without those that cannot be read, which others refuse."""
    found: dict[Any, list[str]] = {}
    for path in paths:
        with contextlib.suppress(OSError):
            found.setdefault(trait(path), []).append(path)
    return found


def _sample(path: str) -> bytes:
    """Bytes from the middle, as files begin and end alike."""
    with open(path, "rb") as file:
        file.seek(os.path.getsize(path) // 2)
        return file.read(SAMPLE)


def _content(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()
