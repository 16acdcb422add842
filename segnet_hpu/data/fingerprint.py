"""What tells one set of labelled pictures from another, wherever its files lie."""

import contextlib
import hashlib
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # NumPy is not needed to tell two fingerprints apart
    from segnet_hpu.data.source import Source

LABELS = 8  # that are read
BYTES = 1 << 26  # that are read of the images' files, and of the labels'
LABEL_BYTES = 1 << 30  # that are read, of larger sets in PIECES of every label file
PIECES = 3

WORDS = {"names": "as many pictures, {n}, but of other names",
         "label_rule": "the values or colours in the label files stand for other classes",
         "labels": "the same pictures have other labels",
         "image_files": "image files of the same names have other contents",
         "label_files": "label files of the same names have other contents",
         "label_bytes": "label files of the same names have other contents"}


def fingerprint(source: "Source") -> dict[str, Any]:
    """Return {"pictures": their number, "names": a hash of their names in order, "labels": one of some labels,
    "image_files", "label_files": hashes of files, see `_contents`, "label_bytes": one of every label file,
    "label_rule": how classes are read from these}.

    Raises UsageError for a label that cannot be read.
    """
    names = "\n".join(source.name(i) for i in range(len(source)))
    labels = hashlib.sha256()
    for i in sorted({round(k * (len(source) - 1) / (LABELS - 1)) for k in range(LABELS)}):
        label = source.label(i)
        labels.update(f"{label.shape}".encode() + label.tobytes())
    label_files = list(dict.fromkeys(pair.label for pair in source.pairs))
    return {"pictures": len(source), "names": hashlib.sha256(names.encode()).hexdigest(),
            "labels": labels.hexdigest(), "image_files": _contents(source.image_files),
            "label_files": _contents(label_files), "label_bytes": _bytes_of_all(label_files),
            "label_rule": source.label_rule}


def _contents(paths: Iterable[str]) -> str:
    """A hash of all files' sizes, and of the bytes of as many, evenly spread, as have BYTES together: of small sets
    of all.
    """
    sizes = {path: _size(path) for path in paths}
    found = hashlib.sha256(f"{list(sizes.values())}".encode())
    for path in list(sizes)[::1 + sum(sizes.values()) // BYTES]:
        with contextlib.suppress(OSError), open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                found.update(chunk)
    return found.hexdigest()


def _bytes_of_all(paths: Sequence[str]) -> str:
    """A hash of all files' bytes; where they have more than LABEL_BYTES together, of each file's beginning, middle
    and end, where the checksums of compressed formats stand.
    """
    sizes = {path: _size(path) for path in paths}
    whole, piece = sum(sizes.values()) <= LABEL_BYTES, max(4096, LABEL_BYTES // (PIECES * max(len(sizes), 1)))
    found = hashlib.sha256()
    for path, size in sizes.items():
        found.update(f"{size}\n".encode())
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if whole or size <= PIECES * piece:
                found.update(file.read())
                continue
            for i in range(PIECES):
                file.seek((size - piece) * i // (PIECES - 1))
                found.update(file.read(piece))
    return found.hexdigest()


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:  # a data set of the user's own may have its pictures elsewhere
        return 0


def difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return in words how the pictures of two fingerprints differ, or None; earlier versions noted less."""
    old, new = before.get("pictures"), now["pictures"]
    if old != new:
        return f"pictures were {'added' if old is None or new > old else 'removed'}: {old} then, {new} now"
    return next((words.format(n=new) for name, words in WORDS.items()
                 if before.get(name, now.get(name)) != now.get(name)), None)
