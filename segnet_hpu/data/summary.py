"""The counts of labels in figures that are written and read."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from segnet_hpu.data.stats import LabelCounts


def summary(counts: LabelCounts, names: Sequence[str], count_void: bool = False) -> dict[str, Any]:
    """Return what the counts tell as a dict for JSON.

    names: one a class. count_void: see LabelCounts.weights. Keys: images, pixels, void (pixels, share, images),
    classes (a list of id, name, pixels, share, images, weight), class_weights, and sizes: the lowest,
    median and highest height and width, how many distinct sizes there are and the most frequent one. Shares are
    of all pixels, void included.
    """
    total = int(counts.pixels.sum())
    weights = [float(f"{w:.4g}") for w in counts.weights(count_void)]
    rows = [{"pixels": int(p), "share": int(p) / total, "images": int(i)}
            for p, i in zip(counts.pixels, counts.images, strict=True)]
    classes = [{"id": i, "name": name, **row, "weight": weight}
               for i, (name, row, weight) in enumerate(zip(names, rows[:-1], weights, strict=True))]
    return {"images": sum(counts.sizes.values()), "pixels": total, "void": rows[-1], "classes": classes,
            "class_weights": weights, "sizes": _sizes(counts.sizes)}


def table(report: dict[str, Any]) -> str:
    """Return a summary as text."""
    rows = [(str(c["id"]), c["name"], f"{100 * c['share']:.2f}", str(c["images"]), f"{c['weight']:g}")
            for c in report["classes"]]
    rows = [("id", "class", "pixels %", "images", "weight"), *rows,
            ("", "void", f"{100 * report['void']['share']:.2f}", str(report["void"]["images"]), "")]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) if i == 1 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]
    weights = ",".join(f"{w:g}" for w in report["class_weights"])
    return "\n".join([*lines, "", _size_line(report), f"--class_weights {weights}"])


def _sizes(sizes: Counter[tuple[int, ...]]) -> dict[str, Any]:
    pairs = np.array(list(sizes), np.int64)
    each = np.repeat(pairs, list(sizes.values()), axis=0)
    middle = np.median(each, axis=0)
    return {"distinct": len(sizes), "most_frequent": list(map(int, sizes.most_common(1)[0][0])),
            **{side: {"min": int(each[:, k].min()), "median": float(middle[k]), "max": int(each[:, k].max())}
               for k, side in enumerate(("height", "width"))}}


def _size_line(report: dict[str, Any]) -> str:
    sizes = report["sizes"]
    if sizes["distinct"] == 1:
        return "{} images, all {}x{} (height x width)".format(report["images"], *sizes["most_frequent"])
    sides = "; ".join(f"{side} {s['min']} to {s['max']}, median {s['median']:g}"
                      for side, s in sizes.items() if side in ("height", "width"))
    return f"{report['images']} images of {sizes['distinct']} sizes: {sides}"
