"""Part a data set of two folders into training and validation pairs."""

import errno
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.description_writing import write_description
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.file_pairs import Pair, held_out
from segnet_hpu.data.output_folder import copy_file, new_dataset
from segnet_hpu.errors import RunError, UsageError, warn
from segnet_hpu.progress import progress

COPY, LINK, MOVE = "copied", "linked", "moved"


def validation_pairs(pairs: Collection[Pair], val: int | float, seed: int) -> set[Pair]:
    """Return the validation pairs.

    pairs: in any order. val: how many (int), or their share (float, 0 to 1).
    Drawn by `held_out`: the same ones on every machine. Raises UsageError unless both parts get a pair.
    """
    count = max(1, round(val * len(pairs))) if isinstance(val, float) else val
    if count >= len(pairs):
        raise UsageError(f"--val {val} of {len(pairs)} pairs leaves none to train on; expected at most "
                         f"{len(pairs) - 1}, or a share such as 0.2")
    images = held_out([image for image, _ in pairs], count, seed)
    return {pair for pair in pairs if pair[0] in images}


def write_split(pairs: Collection[Pair], validation: Collection[Pair], out: str, how: str = COPY,
                names: Mapping[Pair, str] | None = None, described: DataSet | None = None) -> None:
    """Write the `validation` pairs to the val folders of `out`, the others to its train folders.

    how: COPY; LINK, hard links on the same disk; or MOVE, which removes the
    originals after `out` is complete; of a symbolic link it copies the file and removes the link. names: what both
    files of a pair are called, without their endings; their own names if not set. described: the data set that they
    come from; `out`/dataset.yaml then says what its label files hold. Raises UsageError for an `out` that is taken
    and originals that may not be removed, RunError where the disk refuses; nothing is changed then.
    """
    if how == MOVE:
        _refuse_unremovable(pairs)
    with new_dataset(out) as folder:
        for pair in progress(pairs, len(pairs), how, "pair"):
            part = FOLDER.files["val" if pair in validation else "train"]
            for kind, path in zip((part.images, part.labels), pair, strict=True):
                name = names[pair] + os.path.splitext(path)[1] if names else os.path.basename(path)
                _place(path, folder / kind / name, how)
        if described:
            write_description(folder / "dataset.yaml", described, FOLDER.files, as_stored=True)
    if how == MOVE:
        os.sync()  # copies made for another disk are safe before their originals go
        _remove(pairs, out)


def _place(path: str, target: Path, how: str) -> None:
    if how == COPY or (how == MOVE and os.path.islink(path)):  # what a link leads to stays, and stays apart
        copy_file(path, target)
        return
    try:
        copy_file(path, target, link=True)
    except OSError as error:
        if how == LINK:
            raise RunError(f"{path} cannot be linked into --out ({error.strerror}); leave out --link "
                           "to copy") from None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise
        copy_file(path, target)  # another disk, or one without hard links


def _refuse_unremovable(pairs: Collection[Pair]) -> None:
    for folder in sorted({os.path.dirname(path) for pair in pairs for path in pair}):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"--move: files in {folder} may not be removed; leave out --move to copy")


def _remove(pairs: Collection[Pair], out: str) -> None:
    links = sum(os.path.islink(path) for pair in pairs for path in pair)
    if links:
        warn(f"{links} of the {2 * len(pairs)} files are links: these are removed, and what they lead to is copied "
             "and stays where it is")
    for path in (path for pair in pairs for path in pair):
        try:
            os.unlink(path)
        except OSError as error:
            raise RunError(f"{out} is complete, but {path} cannot be removed ({error.strerror}); remove the "
                           "originals that are left by hand") from None
