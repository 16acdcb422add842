"""Video files and cameras: frames in, frames out."""

import os
from pathlib import Path

import cv2

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import refuse_unwritable

# FFmpeg reads it once, at the first video; our own errors say what it cannot open.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

CODECS = {".mp4": "mp4v", ".avi": "XVID"}
FPS = 25.0  # of a camera that does not say


def check_output(flag, path, source):
    """Raise UsageError, naming `flag`, unless a video could be written at `path`, which may not be `source`."""
    if Path(path).suffix.lower() not in CODECS:
        raise UsageError(f"{flag} {path}: expected a name that ends in {' or '.join(CODECS)}")
    refuse_unwritable(flag, path)
    if Path(path).resolve() == Path(str(source)).resolve():
        raise UsageError(f"{flag} {path} is the video itself; choose another name")


class VideoReader:
    """A context that reads frames, uint8 (H, W, 3) RGB, of a file or of the camera of a number.

    source: path, or int, or the int as text; or what else OpenCV reads, a URL such as rtsp://... or a pattern of
    pictures such as frames_%04d.png. fps: as the source says; count: of frames, None for a camera, for a URL
    and where the file does not say. Raises UsageError for what cannot be opened.
    """

    def __init__(self, source):
        source = str(source)
        # A camera's number is an int of 32 bits to OpenCV.
        self.is_camera = source.isdecimal() and len(source) < 10 and not os.path.exists(source)
        self.name = f"camera {source}" if self.is_camera else source
        is_url = "://" in source
        if not (self.is_camera or is_url or "%" in source or os.path.isfile(source)):
            raise UsageError(f"{source}: no such file; expected a video, a URL, a pattern such as frames_%04d.png, "
                             "or the number of a camera such as 0")
        _quiet()
        self.frames = 0
        self.capture = cv2.VideoCapture(int(source) if self.is_camera else self.name)
        self.first = self.read() if self.capture.isOpened() else None
        if self.first is None:
            self.capture.release()
            what = "no such camera, or another program uses it" if self.is_camera else "no video that OpenCV can read"
            raise UsageError(f"{self.name}: {what}; expected a file such as .mp4 or .avi, or a camera's number")
        fps = self.capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps < 1000 else FPS
        count = int(self.capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.count = count if count > 0 and not self.is_camera and not is_url else None

    def read(self):
        """Return the next frame; None after the last, when `ended` is True and `frames` the number of all."""
        sound, frame = self.capture.read()
        self.ended = not sound
        self.frames += sound
        return cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) if sound else None

    def __iter__(self):
        frame, self.first = self.first, None
        while frame is not None:
            yield frame
            frame = self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.capture.release()


class VideoWriter:
    """A context that writes frames into a file, whole on leaving it, also by an exception.

    path: ends in .mp4 (MPEG-4) or .avi. Until the end the frames lie in .NAME.partial.mp4 beside it, which
    players cannot read if the process is killed: an mp4's index is written last. No frame, no file.
    """

    def __init__(self, path, fps):
        self.path, self.fps, self.writer, self.frames = Path(path), fps, None, 0
        self.partial = self.path.with_name(f".{self.path.stem}.partial{self.path.suffix}")

    def write(self, frame):
        """Write a frame uint8 (H, W, 3) RGB; all have the first one's size. Raises RunError."""
        if self.writer is None:
            _quiet()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            codec = cv2.VideoWriter_fourcc(*CODECS[self.path.suffix.lower()])
            self.writer = cv2.VideoWriter(str(self.partial), codec, self.fps, frame.shape[1::-1])
            if not self.writer.isOpened():
                self.writer = None
                raise RunError(f"cannot write {self.path}: OpenCV cannot make {self.path.suffix} files here; "
                               f"expected one of {', '.join(CODECS)} in a folder that may be written")
        self.writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        self.frames += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
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
        os.replace(self.partial, self.path)


def _quiet():
    """Leave it to our own errors to say what OpenCV cannot open."""
    # OpenCV 5 has it at another place.
    (cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel)(0)
