"""The page's figures: tiles of the overall scores, the classes, the confusion matrix."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix

TILES = (
    ("mean_iou", "Mean IoU", "overlap of truth and prediction, averaged over the classes"),
    ("pixel_accuracy", "Pixel accuracy", "share of all pixels that are right"),
    ("mean_accuracy", "Mean class accuracy", "share of each class that is found, averaged"),
    ("mean_dice", "Mean dice", "F1 score of each class, averaged"),
    ("frequency_weighted_iou", "Weighted IoU", "IoU of the classes, weighted by their pixels"),
    ("boundary_f1", "Boundary F1", "F1 score of the classes' outlines, averaged"),
    ("max_f", "MaxF", "highest F1 score of {positive_class} at any threshold"),
    ("average_precision", "Average precision", "precision of {positive_class}, averaged over its recall"),
)
COLUMNS = {"accuracy": "acc.", "dice": "dice", "boundary_f1": "outline"}
# From this share on the figure is written in the other of black and white; with the heat of either colour scheme both
# then have a contrast of at least 4.5.
STRONG = 76


def score_tiles(scores: Mapping[str, Any]) -> str:
    """Return the overall scores as a list of tiles."""
    road = escape(scores.get("positive_class", ""))
    tiles = "".join(f"<li><h3>{name}</h3><p class='figure'>{percent(scores[key], ' %')}</p>"
                    f"<p>{text.format(positive_class=road)}</p></li>" for key, name, text in TILES if key in scores)
    return f"<section aria-labelledby='scores'><h2 id='scores'>Scores</h2><ul class='tiles'>{tiles}</ul></section>"


def class_table(scores: Mapping[str, Any], colours: np.ndarray) -> str:
    """Return a row for each class: colour, name, IoU, the scores of COLUMNS, pixels of the truth."""
    columns = {key: name for key, name in COLUMNS.items() if key in scores["per_class"][0]}
    rows = "".join(
        f"<tr><th scope='row'>{_name(colours[row['id']], row['name'])}</th>{_bar(row['iou'])}"
        + "".join(f"<td>{percent(row[key])}</td>" for key in columns)
        + f"<td>{row['pixels']:,}</td></tr>" for row in scores["per_class"])
    return _classes(rows, ("IoU", *columns.values(), "pixels"),
                    "Scores in percent; acc. is the share of the class that is found; pixels are those of the truth. "
                    "A class that the truth lacks has no scores and does not count in the means.")


def share_table(predicted: np.ndarray, appearance: Appearance) -> str:
    """Return a row for each class: colour, name, share of the predicted pixels."""
    total = max(int(predicted.sum()), 1)
    rows = "".join(f"<tr><th scope='row'>{_name(colour, name)}</th>{_bar(count / total)}"
                   f"<td>{int(count):,}</td></tr>"
                   for colour, name, count in zip(appearance.colours, appearance.names, predicted, strict=True))
    return _classes(rows, ("share", "pixels"), "What the network predicts over all pictures, in percent. There "
                    "were no labels to compare it with.")


def _classes(rows: str, columns: Sequence[str], text: str) -> str:
    head = "".join(f"<th scope='col'>{column}</th>" for column in columns)
    return (f"<section aria-labelledby='classes'><h2 id='classes'>Classes</h2><p>{text}</p><table class='classes'>"
            f"<thead><tr><th scope='col'>class</th>{head}</tr></thead><tbody>{rows}</tbody></table></section>")


def confusion_table(matrix: ConfusionMatrix, appearance: Appearance) -> str:
    """Return the confusion matrix as a heat map, every row in percent of its class's pixels."""
    counts = matrix.counts
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    names = [escape(name) for name in appearance.names]
    signs = [_name(*one) for one in zip(appearance.colours, appearance.names, strict=True)]
    head = "".join(f"<th scope='col'><span>{name}</span></th>" for name in names)
    rows = "".join(
        f"<tr><th scope='row'>{sign}</th>"
        + "".join(_heat(share, name, other) for share, other in zip(row, names, strict=True)) + "</tr>"
        for sign, name, row in zip(signs, names, shares, strict=True))
    return (
        "<section aria-labelledby='confusion'><h2 id='confusion'>Confusion matrix</h2>"
        "<p>Each row is a class of the truth, each column what the network made of it, in percent of the row. "
        "The diagonal is right; shares below 0.5 % are left blank.</p>"
        "<div class='scroll' role='region' aria-labelledby='confusion' tabindex='0'>"
        f"<table class='heat' style='--n:{len(names)}'><thead><tr><td class='corner'>truth&nbsp;&darr; "
        f"predicted&nbsp;&rarr;</td>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>")


def _heat(share: float, truth: str, other: str) -> str:
    if share < 0.5:
        return "<td></td>"
    strong = " class='strong'" if share >= STRONG else ""
    return f"<td{strong} style='--v:{share:.1f}' title='{truth} taken for {other}: {share:.1f} %'>{share:.0f}</td>"


def _bar(value: float | None) -> str:
    style = "" if value is None else f" class='bar' style='--v:{100 * value:.1f}'"
    return f"<td{style}>{percent(value)}</td>"


def _name(colour: np.ndarray, name: str) -> str:
    """A class's name, which may break after an underscore, behind a small square of its colour."""
    rgb = ",".join(str(int(c)) for c in colour)
    text = escape(name).replace("_", "_<wbr>")
    return f"<span class='name'><i class='chip' style='background:rgb({rgb})'></i><span>{text}</span></span>"


def percent(value: float | None, unit: str = "") -> str:
    """Return a share as text in percent, a dash for None."""
    return "&ndash;" if value is None else f"{100 * value:.1f}{unit}"
