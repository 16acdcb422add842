"""What tells one set of labelled pictures from another, wherever its files lie."""

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # NumPy is not needed to tell two fingerprints apart
    from segnet_hpu.data.source import Source

LABELS = 8  # that are read


def fingerprint(source: "Source") -> dict[str, Any]:
    """Return {"pictures": their number, "names": a hash of their names in order, "labels": one of some labels}.

    Raises UsageError for a label that cannot be read.
    """
    names = "\n".join(source.name(i) for i in range(len(source)))
    labels = hashlib.sha256()
    for i in sorted({round(k * (len(source) - 1) / (LABELS - 1)) for k in range(LABELS)}):
        label = source.label(i)
        labels.update(f"{label.shape}".encode() + label.tobytes())
    return {"pictures": len(source), "names": hashlib.sha256(names.encode()).hexdigest(),
            "labels": labels.hexdigest()}


def difference(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """Return in words how the pictures of two fingerprints differ, or None."""
    if before == now:
        return None
    old, new = before.get("pictures"), now["pictures"]
    if old != new:
        return f"pictures were {'added' if old is None or new > old else 'removed'}: {old} then, {new} now"
    if before.get("names") != now["names"]:
        return f"as many pictures, {new}, but of other names"
    return "the same pictures have other labels"
