"""Pictures of labels: colours, overlays, legends and contact sheets. RGB uint8 throughout, no window."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from segnet_hpu.errors import UsageError

FONT = cv2.FONT_HERSHEY_SIMPLEX
PAPER, INK, HATCH = (255, 255, 255), (30, 30, 30), (110, 110, 110)
ROW = 18  # height of a line of text in pixels; legends of tall pictures have larger ones
LONGEST_TEXT = 10 * ROW  # a longer class name is shortened
HATCH_PERIOD = 8
TALL = 720


def colour_mask(label: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Return the label in colours, uint8 (H, W, 3).

    label: integers (H, W). palette: uint8 (n, 3) RGB. Ids from n up (255 among them) are black, hatched.
    """
    known = len(palette)
    table = np.zeros((1, 256, 3), np.uint8)
    table[0, :known] = palette
    has_unknown = label.max(initial=0) >= known
    ids = (np.minimum(label, known) if has_unknown else label).astype(np.uint8, copy=False)
    # Several times quicker than NumPy's indexing.
    picture = cv2.LUT(cv2.merge([ids] * 3), table)
    if not has_unknown:
        return picture
    rows, columns = np.nonzero(label >= known)
    on_line = (rows + columns) % HATCH_PERIOD == 0
    picture[rows[on_line], columns[on_line]] = HATCH
    return picture


def overlay(image: np.ndarray, label: np.ndarray, palette: np.ndarray, alpha: float = 0.5) -> np.ndarray:
    """Return the image uint8 (H, W, 3) with the label's colours over it; alpha 0 (image) to 1 (colours).

    Where a class's colour is black, as the background's mostly is, the image stays as it is.
    """
    if image.shape[:2] != label.shape:
        raise UsageError(f"image of shape {image.shape[:2]} and label of shape {label.shape}; "
                         "expected one size")
    picture = cv2.addWeighted(image, 1 - alpha, colour_mask(label, palette), alpha, 0)
    unpainted = np.zeros(256, np.uint8)
    unpainted[:len(palette)] = ~palette.any(axis=1)
    if unpainted.any():
        cv2.copyTo(image, cv2.LUT(np.minimum(label, 255).astype(np.uint8), unpainted), picture)
    return picture


def legend(class_names: Sequence[str], palette: np.ndarray, height: int,
           ids: Iterable[int] | None = None) -> np.ndarray:
    """Return a picture, uint8 (at least height, W, 3), with a colour and a name for each class.

    ids: classes to show (default all); those without name are shown together as "unlabelled". As many
    columns as it takes; names too long for a column are shortened.
    """
    known = len(class_names)
    shown = list(range(known)) if ids is None else sorted({min(int(i), known) for i in ids})
    names = [class_names[i] if i < known else "unlabelled" for i in shown]
    row = round(ROW * max(1, height / TALL))
    longest = LONGEST_TEXT * row // ROW
    names = [shorten(name, longest, row) for name in names]
    lines = max(1, height // row)
    columns = []
    for first in range(0, len(shown), lines):
        entries = list(zip(shown[first:first + lines], names[first:first + lines], strict=True))
        column = _blank(max(height, row), 2 * row + max(text_width(name, row) for _, name in entries))
        for line, (i, name) in enumerate(entries):
            top = line * row
            swatch = np.full((row - 6, row - 6), i)
            column[top + 3:top + row - 3, 4:4 + row - 6] = colour_mask(swatch, palette[:known])
            write(column, name, row + 4, top, row)
        columns.append(column)
    return np.hstack(columns) if columns else _blank(height, 0)


def with_legend(picture: np.ndarray, class_names: Sequence[str], palette: np.ndarray,
                present_ids: Iterable[int] | None = None) -> np.ndarray:
    """Return the picture with a legend on its right; present_ids: show only these classes."""
    return beside(picture, legend(class_names, palette, picture.shape[0], present_ids))


def beside(picture: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return the picture with another, at least as high, on its right."""
    return np.hstack([_on_paper(picture, side.shape[0], picture.shape[1]), side])


def grid(rows: Sequence[Sequence[np.ndarray]], captions: Sequence[Sequence[str]]) -> np.ndarray:
    """Return one sheet of all pictures, each under its caption.

    rows: lists of uint8 (H, W, 3) of any sizes. captions: lists of text of the same lengths.
    """
    widths = [max(row[column].shape[1] for row in rows if column < len(row)) + ROW // 2
              for column in range(max(map(len, rows)))]
    bands = []
    for pictures, texts in zip(rows, captions, strict=True):
        height = max(picture.shape[0] for picture in pictures)
        cells = []
        for picture, text, width in zip(pictures, texts, widths, strict=False):
            head = _blank(ROW, width)
            write(head, shorten(text, width - 4, ROW), 2, 0, ROW)
            cells.append(np.vstack([head, _on_paper(picture, height + ROW // 2, width)]))
        band = np.hstack(cells)
        bands.append(_on_paper(band, band.shape[0], sum(widths)))
    return np.vstack(bands)


def shorten(text: str, width: int, row: int) -> str:
    """Return the text, its end replaced by "..." if it is wider than `width` pixels at that row height."""
    if text_width(text, row) <= width:
        return text
    while text and text_width(text + "...", row) > width:
        text = text[:-1]
    return text.rstrip() + "..." if text else ""


def text_width(text: str, row: int) -> int:
    """Return the width in pixels of a line of text in a row of that height."""
    return cv2.getTextSize(text, FONT, row / 42, _stroke(row))[0][0]


def write(picture: np.ndarray, text: str, left: int, top: int, row: int) -> None:
    """Write the text, in place, into the row of that height that starts at `top`."""
    cv2.putText(picture, text, (left, top + round(row * 0.67)), FONT, row / 42, INK, _stroke(row),
                cv2.LINE_AA)


def write_over(picture: np.ndarray, text: str) -> None:
    """Write the text, in place, into the top left corner, readable on any background."""
    row = round(ROW * max(1, picture.shape[0] / TALL))
    for colour, stroke in ((INK, _stroke(row) + 2), (PAPER, _stroke(row))):
        cv2.putText(picture, text, (row // 4, row), FONT, row / 32, colour, stroke, cv2.LINE_AA)


def _stroke(row: int) -> int:
    return max(1, round(row / 24))


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), PAPER, np.uint8)


def _on_paper(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """The picture in the top left corner of a sheet at least as large."""
    sheet = _blank(max(height, picture.shape[0]), max(width, picture.shape[1]))
    sheet[:picture.shape[0], :picture.shape[1]] = picture
    return sheet
