"""Video files, cameras and the screen: frames in, frames out."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.data.image_coding import PLAIN, ImageCoding, most_pixels
from segnet_hpu.errors import RunError, UsageError, without_secrets
from segnet_hpu.files import StrPath, refuse_special, refuse_unwritable
from segnet_hpu.inference.numbered_pictures import NumberedPictures, numbered_files
from segnet_hpu.signature import VIDEO_ENDS

# FFmpeg reads it once, at the first video; our own errors say what it cannot open.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

CODECS = {".mp4": "mp4v", ".avi": "XVID"}
FPS = 25.0  # of a camera that does not say, and of numbered pictures


def check_output(flag: str, path: StrPath, source: StrPath | int) -> None:
    """Raise UsageError, naming `flag`, unless a video could be written at `path`, which may not be `source`."""
    if Path(path).suffix.lower() not in CODECS:
        raise UsageError(f"{flag} {path}: expected a name that ends in {' or '.join(CODECS)}")
    refuse_unwritable(flag, path)
    if os.path.exists(path) and os.path.exists(str(source)) and os.path.samefile(path, str(source)):
        raise UsageError(f"{flag} {path} is the video itself; choose another name")


class VideoReader:
    """A context that reads frames, uint8 (H, W, 3) RGB, of a file or of the camera of a number.

    source: path, or int, or the int as text; or what else OpenCV reads, such as a URL, rtsp://...; or a pattern of
    pictures such as frames_%04d.png, which are read as pictures are, by `coding`. fps: as the source says; count:
    of frames, None for a camera, for a URL and where the file does not say. Raises UsageError for what cannot be
    opened.
    """

    def __init__(self, source: StrPath | int, coding: ImageCoding = PLAIN) -> None:
        source = str(source)
        # A camera's number is an int of 32 bits to OpenCV.
        self.is_camera = source.isdecimal() and len(source) < 10 and not os.path.exists(source)
        self.name = f"camera {source}" if self.is_camera else without_secrets(source)
        is_url = "://" in source
        refuse_special("", source)
        if not (self.is_camera or is_url or "%" in source or os.path.isfile(source)):
            raise UsageError(f"{self.name}: no such file; expected a video, a URL, a pattern such as "
                             "frames_%04d.png, or the number of a camera such as 0")
        self.frames = 0
        self.first: np.ndarray | None = None
        self.count: int | None = None
        files = [] if is_url else numbered_files(source)
        if files:
            self.capture: NumberedPictures | cv2.VideoCapture = NumberedPictures(files, coding)
            self.fps, self.count = FPS, len(files)
        else:
            self._open(int(source) if self.is_camera else source, is_url)

    def read_as(self, coding: ImageCoding) -> None:
        """Set how numbered pictures are meant, before the first is read."""
        if isinstance(self.capture, NumberedPictures):
            self.capture.coding = coding

    def _open(self, source: int | str, is_url: bool) -> None:
        """Open what OpenCV reads, and read its first frame."""
        _quiet()
        self.capture = cv2.VideoCapture(source)
        width, height = (self.capture.get(side) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if width * height > most_pixels():
            raise UsageError(f"{self.name}: frames of {width:.0f}x{height:.0f} pixels, of which {most_pixels():,} "
                             "are read at most; raise --max_pixels")
        self.first = self.read() if self.capture.isOpened() else None
        if self.first is None:
            self.capture.release()
            what = "no such camera, or another program uses it" if self.is_camera else "no video that OpenCV can read"
            raise UsageError(f"{self.name}: {what}; expected a file such as .mp4 or .avi, or a camera's number")
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps < 1000 else FPS
        count = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.count = count if count > 0 and not self.is_camera and not is_url else None

    def read(self) -> np.ndarray | None:
        """Return the next frame; None after the last, when `ended` is True and `frames` the number of all."""
        sound, frame = self.capture.read()
        self.ended = not sound
        self.frames += sound
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if sound else None

    def __iter__(self) -> Iterator[np.ndarray]:
        frame, self.first = self.first, None
        frame = self.read() if frame is None else frame
        while frame is not None:
            yield frame
            frame = self.read()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.capture.release()


class VideoWriter:
    """A context that writes frames into a file, whole on leaving it, also by an exception.

    path: ends in .mp4 (MPEG-4) or .avi. Until the end the frames lie in .NAME.partial.mp4 beside it, which
    players cannot read if the process is killed: an mp4's index is written last. No frame, no file.
    """

    def __init__(self, path: StrPath, fps: float) -> None:
        self.path, self.fps, self.frames = Path(path), fps, 0
        self.writer: cv2.VideoWriter | None = None
        self.partial = self.path.with_name(f".{self.path.stem}.partial{self.path.suffix}")

    def write(self, frame: np.ndarray) -> None:
        """Write a frame uint8 (H, W, 3) RGB; all have the first one's size. Raises RunError."""
        if self.writer is None:
            _quiet()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            codec = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
            self.writer = cv2.VideoWriter(str(self.partial), codec, self.fps, frame.shape[1::-1])
            if not self.writer.isOpened():
                self.writer = None
                raise RunError(f"cannot write {self.path}: OpenCV cannot make {self.path.suffix} files here; "
                               f"expected one of {', '.join(CODECS)} in a folder that may be written")
        self.writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.frames += 1

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is None:
            return
        self.writer.release()
        # OpenCV passes a full disk over in silence; what then lies there cannot be opened.
        written = cv2.VideoCapture(str(self.partial))
        whole = written.isOpened()
        written.release()
        if not whole:
            self.partial.unlink(missing_ok=True)
            raise RunError(f"cannot write {self.path}: the file was cut short; free some space")
        with open(self.partial, "ab") as file:
            file.write(VIDEO_ENDS[self.path.suffix.lower()])
        os.replace(self.partial, self.path)


class Window:
    """A context that shows frames on the screen; closed by q or Esc. Raises UsageError where there is no screen."""

    NAME = "segnet-hpu"

    def __init__(self) -> None:
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise UsageError("--display needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set; "
                             "leave it out, and watch the file of --output_path")
        try:
            cv2.namedWindow(self.NAME, cv2.WINDOW_NORMAL)
        except cv2.error:
            raise UsageError("--display: this OpenCV has no windows; pip uninstall opencv-python-headless and "
                             "pip install opencv-python, or leave it out") from None

    def show(self, frame: np.ndarray) -> bool:
        """Show a frame uint8 (H, W, 3) RGB; return whether the user wants to see more."""
        cv2.imshow(self.NAME, np.ascontiguousarray(frame[..., ::-1]))
        return cv2.waitKey(1) & 0xFF not in (ord("q"), 27)

    def __enter__(self) -> "Window":
        return self

    def __exit__(self, *_: object) -> None:
        cv2.destroyWindow(self.NAME)


def _quiet() -> None:
    """Leave it to our own errors to say what OpenCV cannot open."""
    # OpenCV 5 has it at another place.
    (cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel)(0)
