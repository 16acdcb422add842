"""One HTML page of a network's results that needs nothing beside itself: no script, no other file, no network."""

from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.files import StrPath, replace_file
from segnet_hpu.inference.report.examples import Section, examples
from segnet_hpu.inference.report.tables import class_table, confusion_table, score_tiles, share_table
from segnet_hpu.signature import GENERATOR

# What the page may load, for whoever opens it: its own styles and the pictures inside it.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def write_page(path: StrPath, title: str, details: Iterable[str], appearance: Appearance, sections: Iterable[Section],
               scores: Mapping[str, Any] | None = None, matrix: ConfusionMatrix | None = None,
               predicted: np.ndarray | None = None) -> None:
    """Write the page; atomic.

    details: for the line below the title. sections: empty ones are left out. scores: of all, see
    tables.named_scores; matrix: their ConfusionMatrix, both or none. Without them, predicted: pixels of each
    predicted class, int64 (n,). Raises as files.replace_file does.
    """
    parts = [f"<header><h1>{escape(title)}</h1><p class='details'>"
             + "".join(f"<span>{escape(detail)}</span>" for detail in details) + "</p></header>"]
    if matrix is not None and scores is not None:
        parts += [score_tiles(scores), class_table(scores, appearance.colours), confusion_table(matrix, appearance)]
    elif predicted is not None:
        parts.append(share_table(predicted, appearance))
    parts += [examples(section, appearance) for section in sections]
    text = (f"<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n{GENERATOR}\n"
            f"<meta http-equiv='Content-Security-Policy' content=\"{POLICY}\">\n"
            "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
            "<meta name='color-scheme' content='light dark'>\n<link rel='icon' href='data:,'>\n"
            f"<title>{escape(title)}</title>\n"
            f"<style>\n{files(__package__).joinpath('style.css').read_text('utf-8')}</style>\n</head>\n<body>\n<main>\n"
            + "\n".join(filter(None, parts)) + "\n</main>\n</body>\n</html>\n")
    # A file's name may hold bytes that are no text.
    replace_file(path, text.encode(errors="backslashreplace"), make_folder=True)
