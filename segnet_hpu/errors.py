"""The two kinds of failure that a user sees as one line, and warnings.

Every message says what was found and where, what was expected, and what to do.
"""

import contextlib
import difflib
import re
import sys
from collections.abc import Iterable, Iterator


class SegnetError(Exception):
    """Base of the errors that are meant for users."""

    exit_status = 1


class UsageError(SegnetError):
    """A wrong call or bad data: exit status 2."""

    exit_status = 2


class DataError(UsageError):
    """Files of a data set that cannot be used as they are. lines: what a command prints below, ready to paste."""

    lines: str = ""


class RunError(SegnetError):
    """A failure while running (disk full, no network, broken checkpoint): exit status 1."""


class Stopped(SegnetError):
    """The run was asked to stop by a signal. Exit status 128 + its number, as shells have it."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_status = 128 + number


class Elsewhere(SegnetError):
    """Another rank failed and says why: this one ends with the same exit status, silently."""

    def __init__(self, exit_status: int) -> None:
        super().__init__("")
        self.exit_status = exit_status


class WorkerLost(RunError):
    """Another worker of the run ended or hangs; the cause stands with that one. Every message begins alike."""

    WORDS = "lost another worker"

    def __init__(self, detail: object) -> None:
        super().__init__(f"{self.WORDS}: {detail}")


@contextlib.contextmanager
def users_code(what: str, expected: str) -> Iterator[None]:
    """Within this context, which calls code of the user's own, its errors become a UsageError of one line.

    what, expected: which code, and what it must be, in words.
    """
    try:
        yield
    except SegnetError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())
        raise UsageError(f"{what}: {type(error).__name__}: {words[:300]}; expected {expected}") from error


def without_secrets(text: str) -> str:
    """Return a text whose addresses have no login and nothing that follows a ?, where tokens stand.

    >>> without_secrets("rtsp://ann:secret@camera/live?token=x: no video")
    'rtsp://...@camera/live?...: no video'
    """
    text = re.sub(r"://\S*@", "://...@", text)
    return re.sub(r"""(://[^\s?#]*)[?#]\S*?(?=[:;,'")]*(\s|$))""", r"\1?...", text)


def warn(message: object) -> None:
    """Print a warning on one line, to standard error."""
    print(f"segnet-hpu: warning: {message}", file=sys.stderr)


def nearest(name: object, known: Iterable[object]) -> str:
    """Return " Did you mean X?" for the known name closest to `name`, or "".

    >>> nearest("camvit", ["camvid", "voc"])
    ' Did you mean camvid?'
    """
    # Dashes make all flags alike.
    names = {str(k).lstrip("-"): k for k in known}
    close = difflib.get_close_matches(str(name).lstrip("-"), names, n=1)
    return f" Did you mean {names[close[0]]}?" if close else ""
