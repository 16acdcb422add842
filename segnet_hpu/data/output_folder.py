"""A new data set on the disk, whole or not at all."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import StrPath, new_folder, refuse_unwritable


def refuse_taken(out: StrPath) -> None:
    """Raise UsageError, naming --out, unless `out` can become a new folder or is an empty one."""
    if os.path.lexists(out) and not (os.path.isdir(out) and not os.listdir(out)):
        raise UsageError(f"--out {out} is there already; expected a new or an empty folder. Name another one")
    refuse_unwritable("--out", out, folder=True)


@contextlib.contextmanager
def new_dataset(out: StrPath) -> Iterator[Path]:
    """Yield a path that becomes the folder `out` when the block ends without an error.

    Raises as `refuse_taken`, and RunError where the disk refuses; what was written is then removed.
    """
    refuse_taken(out)
    try:
        with new_folder(out) as folder:
            yield folder
    except OSError as error:
        raise RunError(f"--out {out}: {error.strerror} ({error.filename or 'while writing'}); nothing is kept. "
                       "Check space and permissions") from None


def copy_file(source: StrPath, target: Path, link: bool = False) -> None:
    """Copy the file `source` to `target`, or make it a second name of the same file, with the folders on the way."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if link:
        os.link(os.path.realpath(source), target)
    else:
        shutil.copyfile(source, target)
