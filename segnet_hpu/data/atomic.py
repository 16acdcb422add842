"""Folders that appear under their name only when they are complete."""

import contextlib
import os
import shutil
from pathlib import Path


@contextlib.contextmanager
def new_folder(path):
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
