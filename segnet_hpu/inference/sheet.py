"""A contact sheet of pictures with their predictions, and the map of errors on it."""

from collections.abc import Iterable
from dataclasses import replace

import cv2
import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.appearance import Appearance
from segnet_hpu.data.geometry import resize_image, resize_label
from segnet_hpu.evaluation.picture_results import PictureResult
from segnet_hpu.inference.render import TALL, colour_mask, grid, legend, overlay

CELL_WIDTH = 360
WRONG = (255, 92, 20)  # orange, which no kind of colour blindness confuses with grey


def error_map(one: PictureResult) -> np.ndarray:
    """Return where a result with truth is wrong, uint8 (y, x, 3): the picture in dark grey where it is right,
    orange where it is wrong, black with hatching where nothing is scored."""
    assert one.truth is not None
    grey = cv2.cvtColor(one.image, cv2.COLOR_RGB2GRAY) // 2
    picture = np.repeat(grey[..., None], 3, axis=2)
    void = one.truth == VOID
    picture[void] = colour_mask(one.truth, np.zeros((VOID, 3), np.uint8))[void]
    picture[~void & (one.truth != one.prediction)] = WRONG
    return picture


def views(one: PictureResult, colours: np.ndarray) -> dict[str, np.ndarray]:
    """Return {caption: picture} of a result: image, truth, prediction and error, or image and prediction."""
    if one.truth is None:
        return {"image": one.image, "prediction": overlay(one.image, one.prediction, colours, 0.65)}
    return {"image": one.image, "truth": colour_mask(one.truth, colours),
            "prediction": colour_mask(one.prediction, colours), "error": error_map(one)}


def shrunk(one: PictureResult, width: int) -> PictureResult:
    """Return a result no wider than `width` pixels; its matrix stays that of the full size."""
    height, own = one.prediction.shape
    if own <= width:
        return one
    size = (max(1, round(height * width / own)), width)
    return replace(one, image=resize_image(one.image, size), prediction=resize_label(one.prediction, size),
                   truth=None if one.truth is None else resize_label(one.truth, size))


def contact_sheet(results: Iterable[PictureResult], appearance: Appearance) -> np.ndarray:
    """Return one picture of all results, a row each, with a legend of the classes on them."""
    rows, captions = [], []
    present: set[int] = set()
    for one in results:
        one = shrunk(one, CELL_WIDTH)
        shown = views(one, appearance.colours)
        present |= set(np.unique(one.prediction)) | (set() if one.truth is None else set(np.unique(one.truth)))
        rows.append(list(shown.values()))
        captions.append([one.name, *("error: orange" if name == "error" else name for name in list(shown)[1:])])
    sheet = grid(rows, captions)
    side = legend(appearance.names, appearance.colours, min(sheet.shape[0], TALL), present)
    return grid([[sheet, side]], [["", ""]])
