"""`segnet-hpu predict_video`."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import PALETTES
from segnet_hpu.errors import Stopped, UsageError
from segnet_hpu.inference.settings import PredictionSettings
from segnet_hpu.runtime.device import DeviceSettings, select_device
from segnet_hpu.runtime.stop_signals import StopSignals
from segnet_hpu.signature import VIDEO

if TYPE_CHECKING:
    from segnet_hpu.inference.video_files import VideoReader, Window


@dataclass(kw_only=True)
class Settings(Outputs, DeviceSettings, PredictionSettings):
    """Label every frame of a video file or of a camera. Ctrl-C ends it with a playable file."""

    checkpoints_path: str = option(REQUIRED, "model: a .keras file, a run folder, or training's prefix")
    input_path: str = option("0", "video file, number of a camera, URL, or pattern such as frames_%04d.png",
                             alias="input")
    output_path: str | None = option(None, "file for the result; .mp4 or .avi", alias="output_file")
    overlay: bool = option(True, "the colours over the frames; false: the colours alone")
    legend: bool = option(False, "add a legend on the right, which makes the frames wider")
    fps_caption: bool = option(False, "write the frames labelled per second into the frames")
    display: bool = option(False, "show the frames on the screen; q or Esc ends it")
    class_names: str | None = option(None, "names a,b,c; the model's own if not set")
    palette: str | None = option(None, "colours of a known data set; the model's own if not set",
                                  choices=tuple(PALETTES))
    batch_size: int = option(1, "frames (or windows of one) a forward pass", minimum=1)


def run(settings: Settings) -> None:
    settings.check()
    if not settings.output_path and not settings.display:
        raise UsageError("predict_video has nowhere to put its frames; give --output_path F.mp4, or --display")
    from segnet_hpu.inference.video_files import VideoReader, check_output
    from segnet_hpu.interchange.load import find_checkpoint

    if settings.output_path:
        check_output("--output_path", settings.output_path, settings.input_path)
        settings.check_output("output_path", VIDEO, [settings.input_path])
    path = find_checkpoint(settings.checkpoints_path)
    with VideoReader(settings.input_path) as reader, _window(settings) as window:
        _label(settings, path, reader, window)


def _window(settings: Settings) -> "contextlib.AbstractContextManager[Window | None]":
    if not settings.display:
        return contextlib.nullcontext()
    from segnet_hpu.inference.video_files import Window

    return Window()


def _label(settings: Settings, path: Path, reader: "VideoReader", window: "Window | None") -> None:
    from segnet_hpu.inference.label_pictures import drawer
    from segnet_hpu.inference.video import label_file
    from segnet_hpu.interchange.load import load

    select_device(settings.train_engine, backend=settings.backend)
    trained = load(path)
    appearance = trained.appearance(settings.class_names, settings.palette)
    draw = drawer("overlay" if settings.overlay else "colour", appearance, settings.legend)
    predictor = settings.predictor(trained, settings.batch_size)
    reader.read_as(settings.image_coding.over(trained.input_coding.files))
    with StopSignals() as signals:
        line = label_file(predictor, reader, settings.output_path, draw, fps_caption=settings.fps_caption,
                          window=window, stopped=lambda: signals.caught)
    if signals.caught:
        raise Stopped(f"stopped; {line}", signals.caught)
    print(line)
