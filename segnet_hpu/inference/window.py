"""Frames on the screen."""

import os
import sys

import cv2
import numpy as np

from segnet_hpu.errors import UsageError


class Window:
    """A context that shows frames on the screen; closed by q or Esc. Raises UsageError where there is no screen."""

    NAME = "segnet-hpu"

    def __init__(self):
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise UsageError("--display needs a screen, and neither DISPLAY nor WAYLAND_DISPLAY is set; "
                             "leave it out, and watch the file of --output_path")
        try:
            cv2.namedWindow(self.NAME, cv2.WINDOW_NORMAL)
        except cv2.error:
            raise UsageError("--display: this OpenCV has no windows; pip uninstall opencv-python-headless and "
                             "pip install opencv-python, or leave it out") from None

    def show(self, frame):
        """Show a frame uint8 (H, W, 3) RGB; return whether the user wants to see more."""
        cv2.imshow(self.NAME, np.ascontiguousarray(frame[..., ::-1]))
        return cv2.waitKey(1) & 0xFF not in (ord("q"), 27)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        cv2.destroyWindow(self.NAME)
