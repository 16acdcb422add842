"""What tells one set of labelled pictures from another, wherever its files lie."""

import contextlib
import hashlib
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # NumPy is not needed to tell two fingerprints apart
    from segnet_hpu.data.source import Source

LABELS = 8  # that are read
BYTES = 1 << 26  # that are read of the images' files, and of the labels'

WORDS = {"names": "as many pictures, {n}, but of other names", "labels": "the same pictures have other labels",
         "image_files": "image files of the same names have other contents",
         "label_files": "label files of the same names have other contents"}


def fingerprint(source: "Source") -> dict[str, Any]:
    """Return {"pictures": their number, "names": a hash of their names in order, "labels": one of some labels,
    "image_files", "label_files": hashes of files, see `_contents`}.

    Raises UsageError for a label that cannot be read.
    """
    names = "\n".join(source.name(i) for i in range(len(source)))
    labels = hashlib.sha256()
    for i in sorted({round(k * (len(source) - 1) / (LABELS - 1)) for k in range(LABELS)}):
        label = source.label(i)
        labels.update(f"{label.shape}".encode() + label.tobytes())
    return {"pictures": len(source), "names": hashlib.sha256(names.encode()).hexdigest(),
            "labels": labels.hexdigest(), "image_files": _contents(source.image_files),
            "label_files": _contents(pair.label for pair in source.pairs)}


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
