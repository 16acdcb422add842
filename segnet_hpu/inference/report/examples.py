"""The page's pictures: image, truth, prediction and error side by side, inside the page itself."""

import base64
from html import escape

import cv2
import numpy as np

from segnet_hpu.inference.report.tables import percent
from segnet_hpu.inference.sheet import WRONG, shrunk, views

WIDTH = 480
JPEG_QUALITY = 85
KEY = (f"<p class='key'>Error: <span><i class='chip' style='background:rgb{WRONG}'></i>wrong</span> "
       "<span><i class='chip right'></i>right (the picture, darkened)</span> "
       "<span><i class='chip void'></i>not judged</span></p>")


def examples(heading, text, pictures, appearance):
    """Return a section of Judged pictures, or "" without any."""
    pictures = list(pictures)
    if not pictures:
        return ""
    name = escape(heading.lower().replace(" ", "-"))
    key = KEY if any(one.truth is not None for one in pictures) else ""
    return (f"<section aria-labelledby='{name}'><h2 id='{name}'>{escape(heading)}</h2><p>{escape(text)}</p>{key}"
            + "".join(_example(one, appearance) for one in pictures) + "</section>")


def _example(one, appearance):
    small = shrunk(one, WIDTH)
    photos = ("image", "prediction") if one.truth is None else ("image", "error")
    figures = "".join(
        f"<figure>{_embedded(picture, f'{one.name}: {caption}', photo=caption in photos)}"
        f"<figcaption>{caption}</figcaption></figure>"
        for caption, picture in views(small, appearance.colours).items())
    return (f"<article><h3>{escape(one.name)}</h3>{_verdict(one, appearance.names)}"
            f"<div class='strip'>{figures}</div></article>")


def _verdict(one, names):
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


def _embedded(picture, alt, photo):
    """An <img> that holds the RGB picture itself: a photo as JPEG, flat colours as PNG, which keeps them exact."""
    kind, options = ("jpeg", [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]) if photo else ("png", [])
    data = cv2.imencode(f".{kind}", picture[..., ::-1], options)[1]
    height, width = picture.shape[:2]
    return (f"<img alt='{escape(alt)}' width='{width}' height='{height}' "
            f"src='data:image/{kind};base64,{base64.b64encode(data).decode()}'>")
