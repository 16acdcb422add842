"""Label every frame of a video; reading, computing, drawing and writing overlap."""

import collections
import contextlib
import itertools
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from segnet_hpu.data.geometry import resize_image
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.errors import warn
from segnet_hpu.evaluation.predictor import Prepared, Result, SupportsPrediction
from segnet_hpu.files import StrPath
from segnet_hpu.inference.render import write_over
from segnet_hpu.inference.video_files import VideoReader, VideoWriter, Window
from segnet_hpu.progress import Progress

RATE_FRAMES = 32  # the caption's rate is of so many frames
# draw(frame, class map) -> picture, all uint8.
Draw = Callable[[np.ndarray, np.ndarray], np.ndarray]


def label_video(predictor: SupportsPrediction, reader: VideoReader, draw: Draw, writer: VideoWriter | None,
                fps_caption: bool = False, window: Window | None = None,
                stopped: Callable[[], object] = lambda: False, size: tuple[int, int] | None = None) -> int:
    """Write draw(frame, class map) of every frame, in order; return the number of frames.

    fps_caption: write how many frames a second are labelled into each. window: shows them. stopped: asked
    before every batch whether to end here; what was computed until then is written. size: (y, x) of the drawn
    frames, if not their own.
    """
    def drawn(item: tuple[np.ndarray, Result, str]) -> np.ndarray:
        image, result, caption = item
        image = resize_image(image, size) if size else image
        picture = draw(image, predictor.classes(result, image.shape[:2]))
        if fps_caption:
            write_over(picture, caption)
        return picture

    def written(picture: np.ndarray) -> np.ndarray:
        if writer is not None:
            writer.write(picture)
        return picture

    ahead = predictor.batch_size + 2
    with Progress("predict_video", reader.count, "frame") as progress, \
            contextlib.closing(_results(predictor, reader, stopped)) as results, \
            contextlib.closing(prefetched(drawn, results, threads=2, ahead=ahead)) as pictures, \
            contextlib.closing(prefetched(written, pictures, threads=1, ahead=ahead)) as done:
        for picture in done:
            progress.update(1)
            if window and not window.show(picture):
                break
    return progress.done


def _results(predictor: SupportsPrediction, reader: VideoReader,
             stopped: Callable[[], object]) -> Generator[tuple[np.ndarray, Result, str], None, None]:
    """Yield (frame, result, caption with the rate) until the video ends or is stopped."""
    batch_size = predictor.batch_size
    frames = iter(reader)

    def read(_: None) -> tuple[np.ndarray, Prepared] | None:
        frame = next(frames, None)
        return None if frame is None else (frame, predictor.prepare(frame))

    times = collections.deque([time.monotonic()], RATE_FRAMES // batch_size + 2)
    reading = prefetched(read, itertools.repeat(None), threads=1, ahead=2 * batch_size + 2)
    with contextlib.closing(reading) as ready:
        for batch in batched(itertools.takewhile(lambda item: item is not None, ready), batch_size):
            if stopped():
                return
            images, inputs = zip(*batch, strict=True)
            results = predictor.run(inputs)
            times.append(time.monotonic())
            rate = batch_size * (len(times) - 1) / max(times[-1] - times[0], 1e-9)
            yield from zip(images, results, itertools.repeat(f"{rate:.1f} fps"))


def label_file(predictor: SupportsPrediction, reader: VideoReader, output: StrPath | None, draw: Draw,
               **options: Any) -> str:
    """Label the frames of a VideoReader into the file `output`, or None; return a line that says how it went.

    options: of label_video. A video that ends before its file promises is told of on stderr. Raises RunError
    for a file that cannot be written.
    """
    began = time.monotonic()
    with VideoWriter(output, reader.fps) if output else contextlib.nullcontext() as writer:
        n = label_video(predictor, reader, draw, writer, **options)
    if reader.ended and reader.frames < (reader.count or 0):
        warn(f"{reader.name} ends after {reader.frames} of {reader.count} frames")
    rate = n / max(time.monotonic() - began, 1e-9)
    return f"{n} frame{'' if n == 1 else 's'} of {reader.name} labelled, {rate:.2f} a second" \
        + (f": {output}" if output else "")
