"""Writing files so that a failure leaves the old one whole."""

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.signature import kind_of, signed

if TYPE_CHECKING:
    import numpy as np

StrPath = str | os.PathLike[str]

JPEG_SIDE = 65500  # pixels at most, of libjpeg
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
SPECIAL = ((stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"), (stat.S_ISCHR, "a device"),
           (stat.S_ISBLK, "a device"))


def special_file(path: StrPath) -> str | None:
    """Return what lies at `path` where opening or reading it may never end: "a pipe", "a socket" or "a device".

    None for other files, for folders and for what is not there.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    return next((words for is_kind, words in SPECIAL if is_kind(mode)), None)


def refuse_special(where: str, path: StrPath) -> None:
    """Raise UsageError, beginning with `where` and the path, for a pipe, a socket or a device; see special_file."""
    kind = special_file(path)
    if kind:
        raise UsageError(f"{where} {path} is {kind}; expected a regular file. Copy what it yields into one".lstrip())


def refuse_unwritable(flag: str, path: StrPath, folder: bool = False) -> None:
    """Raise UsageError, naming `flag`, if no file (or folder) could be written at `path`. Writes nothing.

    For use before long work; folders on the way need not exist yet.
    """
    if not folder and os.path.isdir(path):
        raise UsageError(f"{flag} {path} is a folder; expected a file's name")
    if not folder and os.path.exists(path) and not os.path.isfile(path):
        raise UsageError(f"{flag} {path} is no regular file; choose another name")
    place = os.path.abspath(path) if folder else os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise UsageError(f"{flag} {path}: {place} is no folder; choose another {flag}")
    if not os.access(place, os.W_OK | os.X_OK):
        raise UsageError(f"{flag} {path}: the folder {place} may not be written; choose another {flag}")


def refuse_replacing(flag: str, path: StrPath, read: Iterable[StrPath] = (), cure: str = "choose another name, or "
                     "replace it with --overwrite", kinds: Collection[str] | None = None) -> None:
    """Raise UsageError, naming `flag`, if the file `path` exists and is one of the files `read`, or not of ours.

    `signature.kind_of` tells which are ours. read: the paths that the command reads; some need not exist.
    cure: what the message advises. kinds: the kinds of files of ours that may be replaced, None for all.
    """
    if not os.path.isfile(path):
        return
    if any(os.path.exists(one) and os.path.samefile(one, path) for one in read):
        raise UsageError(f"{flag} {path} is one of the pictures and files that are read; {cure}")
    kind = kind_of(os.fspath(path))
    if kind is None:
        raise UsageError(f"{flag} {path} exists, and was not written by this package, or was edited since; {cure}")
    if kind and kinds is not None and kind not in kinds:
        raise UsageError(f"{flag} {path} exists, and holds {kind}; {cure}")


def replace_file(path: StrPath, data: bytes, make_folder: bool = False) -> None:
    """Write bytes to `path` in one step, through a temporary file beside it.

    make_folder: make the folder if need be. Raises UsageError where it is missing or cannot be written,
    RunError where the disk is full.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(21, "it is a folder")
        if make_folder:
            os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.remove(temporary)
        if error.errno in FULL:
            raise RunError(f"cannot write {path} ({error.strerror}); free some space") from None
        raise UsageError(f"cannot write {path} ({error.strerror}); expected a file's name in a folder "
                         "that exists and may be written") from None


def write_text(path: StrPath, text: str) -> None:
    """Write `text` as UTF-8, making the folder if need be; see replace_file."""
    replace_file(path, text.encode(), make_folder=True)


def write_image(path: StrPath, picture: "np.ndarray") -> None:
    """Write a uint8 picture, RGB (H, W, 3) or grey (H, W), in the format that the name's ending says, signed.

    Makes the folder if need be; raises as replace_file does, and UsageError for an ending that
    OpenCV cannot write and for a picture that is too large for its format.
    """
    import cv2

    picture = picture[..., ::-1] if picture.ndim == 3 else picture
    ending = os.path.splitext(path)[1]
    height, width = picture.shape[:2]
    if ending.lower() in (".jpg", ".jpeg") and max(height, width) > JPEG_SIDE:
        raise UsageError(f"cannot write {path}: {width}x{height} pixels are too large for {ending}, whose sides have "
                         f"at most {JPEG_SIDE}; .png takes it")
    try:
        written, data = cv2.imencode(ending, picture)
    except cv2.error:
        written = False
    if not written:
        raise UsageError(f"cannot write {path}: {ending or 'no ending'} is no picture format; "
                         "expected a name that ends in .png or .jpg")
    replace_file(path, signed(data.tobytes()), make_folder=True)


@contextlib.contextmanager
def new_folder(path: StrPath) -> Iterator[Path]:
    """Yield an empty sibling folder that becomes `path` when the block ends without an error.

    `path` must be absent or an empty folder. On an error the sibling is removed; a killed process leaves it
    behind under a hidden name ending in .part. Raises OSError where the disk refuses.
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f".{path.name}.{os.getpid()}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
