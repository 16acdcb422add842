"""A network as a picture: one bar a layer, from the image to the logits, as tall as the layer's map."""

import math
from typing import NamedTuple

import cv2
import keras
import numpy as np

from segnet_hpu.inference.render import write

STEP, BAR, TALLEST, MARGIN = 9, 6, 200, 24  # pixels
LINE, PAPER = (150, 150, 150), 255
# What is drawn, by the beginnings of the layers' class names; the others change neither size nor path.
KINDS = {
    "convolution": ((70, 130, 200), ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")),
    "pooling": ((220, 120, 60), ("MaxPool", "AveragePool", "GlobalAverage")),
    "enlarging": ((90, 170, 90), ("UpSampling", "Resizing", "Unpool")),
    "joining": ((170, 90, 170), ("Add", "Concatenate", "Multiply")),
}


class Bar(NamedTuple):
    """A layer as it is drawn."""

    kind: str
    shape: tuple[int, int, int]  # height, width, channels


def draw(model: keras.Model) -> np.ndarray:
    """Return an RGB uint8 picture (H, W, 3) of a functional model from (B, H, W, C) to (B, h, w, n).

    Bars that leave the order are joined by lines above: residuals and skips.
    """
    bars, links = _bars_and_links(model)
    lanes = 12 * math.ceil(math.log2(len(bars) + 1))
    top, width = MARGIN * 2 + lanes, max(640, 2 * MARGIN + STEP * len(bars))
    picture = np.full((top + TALLEST + 4 * MARGIN, width, 3), PAPER, np.uint8)
    full, middle = model.input_shape[1], top + TALLEST // 2
    heights = [max(4, round(TALLEST * min(1, bar.shape[0] / full))) for bar in bars]
    for first, last in links:
        lane = top - 4 - round(12 * math.log2(last - first))
        points = [(_x(first), middle - heights[first] // 2), (_x(first), lane), (_x(last), lane),
                  (_x(last), middle - heights[last] // 2)]
        cv2.polylines(picture, [np.array(points)], False, LINE, 1)
    size: tuple[int, ...] = ()
    for i, ((kind, shape), height) in enumerate(zip(bars, heights, strict=True)):
        left = _x(i) - BAR // 2
        cv2.rectangle(picture, (left, middle - height // 2), (left + BAR, middle + height // 2), KINDS[kind][0], -1)
        if shape[:2] != size:
            size = shape[:2]
            write(picture, f"{size[0]}", left, top + TALLEST + 12 * (i % 2), 14)
    title = f"{model.name}: {model.input_shape[1:]} to {model.output_shape[1:]}; bar and number: the map's height"
    write(picture, title, MARGIN, 0, 20)
    for i, (kind, (colour, _)) in enumerate(KINDS.items()):
        at = MARGIN + 140 * i, picture.shape[0] - MARGIN
        cv2.rectangle(picture, (at[0], at[1] - 10), (at[0] + 10, at[1]), colour, -1)
        write(picture, kind, at[0] + 16, at[1] - 12, 18)
    return picture


def _bars_and_links(model: keras.Model) -> tuple[list[Bar], list[tuple[int, int]]]:
    """The bars in order, and (from, to) of the connections that pass over others."""
    bars: list[Bar] = []
    links: set[tuple[int, int]] = set()
    source: dict[int, int] = {}  # a tensor's id -> the bar that it comes from
    for operation in model.operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        before = {source[id(t)] for t in keras.tree.flatten(operation.input) if id(t) in source}
        outputs = keras.tree.flatten(operation.output)
        kind = next((k for k, (_, starts) in KINDS.items() if type(operation).__name__.startswith(starts)), None)
        shape = outputs[0].shape[1:]
        if kind and len(shape) == 3:
            links |= {(i, len(bars)) for i in before if i < len(bars) - 1}
            bars.append(Bar(kind, shape))
            before = {len(bars) - 1}
        if before:
            source |= {id(t): max(before) for t in outputs}
    return bars, sorted(links)


def _x(i: int) -> int:
    return MARGIN + STEP * i + BAR // 2
