"""The page's pictures: image, truth, prediction and error side by side, inside the page itself."""

import base64
from collections.abc import Iterable
from html import escape
from typing import NamedTuple

import cv2
import numpy as np

from segnet_hpu.data.appearance import Appearance
from segnet_hpu.evaluation.picture_results import PictureResult
from segnet_hpu.inference.report.tables import percent
from segnet_hpu.inference.sheet import WRONG, shrunk, views

WIDTH = 480
JPEG_QUALITY = 85
KEY = (f"<p class='key'>Error: <span><i class='chip' style='background:rgb{WRONG}'></i>wrong</span> "
       "<span><i class='chip right'></i>right (the picture, darkened)</span> "
       "<span><i class='chip void'></i>not scored</span></p>")


class Section(NamedTuple):
    """Pictures under a heading, with an explanation."""

    heading: str
    text: str
    results: Iterable[PictureResult]


def examples(section: Section, appearance: Appearance) -> str:
    """Return a section of the page, or "" for one without pictures."""
    results = list(section.results)
    if not results:
        return ""
    name = escape(section.heading.lower().replace(" ", "-"))
    key = KEY if any(one.truth is not None for one in results) else ""
    return (f"<section aria-labelledby='{name}'><h2 id='{name}'>{escape(section.heading)}</h2>"
            f"<p>{escape(section.text)}</p>{key}" + "".join(_example(one, appearance) for one in results)
            + "</section>")


def _example(one: PictureResult, appearance: Appearance) -> str:
    small = shrunk(one, WIDTH)
    photos = ("image", "prediction") if one.truth is None else ("image", "error")
    figures = "".join(
        f"<figure>{_embedded(picture, f'{one.name}: {caption}', photo=caption in photos)}"
        f"<figcaption>{caption}</figcaption></figure>"
        for caption, picture in views(small, appearance.colours).items())
    return (f"<article><h3>{escape(one.name)}</h3>{_summary(one, appearance.names)}"
            f"<div class='strip'>{figures}</div></article>")


def _summary(one: PictureResult, names: list[str]) -> str:
    """One line: how good, and what was most often taken for what."""
    if one.matrix is None:
        return ""
    scores, counts = one.matrix.scores(), one.matrix.counts
    words = (f"mean IoU <b>{percent(scores['mean_iou'], ' %')}</b>, "
             f"pixel accuracy {percent(scores['pixel_accuracy'], ' %')}")
    wrong = counts * (1 - np.eye(len(counts), dtype=np.int64))
    truth, other = np.unravel_index(wrong.argmax(), wrong.shape)
    if wrong[truth, other]:
        words += (f"; most often {escape(names[truth])} taken for {escape(names[other])} "
                  f"({percent(wrong[truth, other] / counts.sum(), ' %')} of the pixels)")
    return f"<p>{words}</p>"


def _embedded(picture: np.ndarray, alt: str, photo: bool) -> str:
    """An <img> that holds the RGB picture itself: a photo as JPEG, flat colours as PNG, which keeps them exact."""
    kind, options = ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]) if photo else ("png", [])
    data = cv2.imencode(f".{kind}", picture[..., ::-1], options)[1]
    height, width = picture.shape[:2]
    return (f"<img alt='{escape(alt)}' width='{width}' height='{height}' "
            f"src='data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}'>")
