"""Stop at a step's end when asked to by Ctrl-C or SIGTERM, so that the state can be saved first."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


class Interrupted(BaseException):
    """A signal came where waiting for a step's end would take long. Like KeyboardInterrupt no `Exception`, so that
    nothing on the way takes it for a fault."""


class StopSignals:
    """Within this context the first SIGINT or SIGTERM is noted in `caught`; a second one acts at once."""

    def __init__(self) -> None:
        self.caught: int | None = None
        self._raises = False

    def __enter__(self) -> "StopSignals":
        # Only the main thread may set handlers; elsewhere the program around us owns the signals.
        self.before: dict[signal.Signals, Any] = {}
        if threading.current_thread() is threading.main_thread():
            self.before = {n: signal.signal(n, self._note) for n in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught = number
        self._restore()
        if self._raises:
            raise Interrupted

    @contextlib.contextmanager
    def interruptible(self) -> Iterator[None]:
        """Within this context a signal, also one that came before, raises Interrupted."""
        self._raises = True
        try:
            if self.caught:
                raise Interrupted
            yield
        finally:
            self._raises = False

    def _restore(self) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def __exit__(self, *_: object) -> None:
        self._restore()
