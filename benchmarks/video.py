"""Frames a second of predict_video against the bare model in a loop over the same frames, in turn in one process.

    python benchmarks/video.py VIDEO [--model vgg_segnet --height 192 --width 256 --frames 60 --rounds 3]

The bare model gets its frames ready-made, resized and as float; its loop is `model.predict_on_batch(frame)`. The
other reads the file, labels every frame at its own size, draws the classes over it and writes an mp4. CPU time,
of all threads, is the steadier figure where other work shares the machine.
"""

import argparse
import itertools
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from segnet_hpu.data.appearance import Appearance  # noqa: E402
from segnet_hpu.inference.label_pictures import drawer  # noqa: E402
from segnet_hpu.inference.predictor import Predictor  # noqa: E402
from segnet_hpu.inference.video import label_video  # noqa: E402
from segnet_hpu.inference.video_files import VideoReader, VideoWriter  # noqa: E402
from segnet_hpu.models.build import build_model  # noqa: E402
from segnet_hpu.runtime.device import select_device  # noqa: E402


class Clip(VideoReader):
    """The first frames of a video."""

    def __init__(self, path, frames):
        super().__init__(path)
        self.count = min(frames, self.count)

    def __iter__(self):
        return itertools.islice(super().__iter__(), self.count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("--model", default="vgg_segnet")
    parser.add_argument("--height", type=int, default=192)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--classes", type=int, default=12)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(select_device("auto").description)
    model = build_model(args.model, args.classes, args.height, args.width)
    predictor = Predictor(model)
    with Clip(args.video, args.frames) as clip:
        pictures = list(clip)
    frames = [predictor.prepare(picture)[None].astype(np.float32) for picture in pictures]
    model.predict_on_batch(frames[0])
    height, width = pictures[0].shape[:2]
    print(f"{args.model} {args.height}x{args.width}, {len(frames)} frames of {width}x{height}, "
          f"OpenCV {cv2.__version__}")
    rates, cpu = {"bare": [], "video": []}, {"bare": [], "video": []}
    for _ in range(args.rounds):
        for name, run in (("bare", lambda: bare(model, frames)), ("video", lambda: video(predictor, args))):
            began, used = time.perf_counter(), time.process_time()
            run()
            rates[name].append(len(frames) / (time.perf_counter() - began))
            cpu[name].append(1000 * (time.process_time() - used) / len(frames))
    for name, found in rates.items():
        print(f"{name:<6} {statistics.median(found):6.2f} frames/s  ({', '.join(f'{r:.2f}' for r in found)}), "
              f"{statistics.median(cpu[name]):.0f} ms of CPU a frame")
    for what, ratios in (("ratio", [v / b for v, b in zip(rates["video"], rates["bare"], strict=True)]),
                         ("in CPU", [b / v for v, b in zip(cpu["video"], cpu["bare"], strict=True)])):
        print(f"{what:<6} {statistics.median(ratios):6.3f}           ({', '.join(f'{r:.3f}' for r in ratios)})")


def bare(model, frames):
    for frame in frames:
        model.predict_on_batch(frame)


def video(predictor, args):
    draw = drawer("overlay", Appearance.of(args.classes))
    with tempfile.TemporaryDirectory() as folder, Clip(args.video, args.frames) as clip, \
            VideoWriter(Path(folder) / "out.mp4", clip.fps) as writer:
        label_video(predictor, clip, draw, writer)


if __name__ == "__main__":
    main()
