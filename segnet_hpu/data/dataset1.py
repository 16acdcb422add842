"""Bring keras_segmentation's `dataset1` (CamVid in 12 classes) into place, or the sample data set."""

import errno
import shutil
import stat
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

from segnet_hpu.data.download import digest_of, fetch
from segnet_hpu.errors import RunError, UsageError, without_secrets
from segnet_hpu.files import StrPath, new_folder

DRIVE_ID = "0B0d9ZiqAgFkiOHR1NTJhWVJMNEU"
URL = f"https://drive.usercontent.google.com/download?id={DRIVE_ID}&export=download&confirm=t"
FOLDERS = tuple(f"{kind}_prepped_{part}" for part in ("train", "test") for kind in ("images", "annotations"))
PAIRS = (367, 101)  # training and test; keras_segmentation publishes neither size nor checksum of the file at URL
PICTURES = {".png", ".jpg", ".jpeg", ".bmp"}

MAX_BYTES = 4 << 30  # unpacked; dataset1 itself is about 0.3 GB
MAX_FILES = 100_000


def is_complete(folder: StrPath) -> bool:
    """Whether all four folders hold pictures and every image has its label."""
    train, train_labels, test, test_labels = (_stems(Path(folder) / name) for name in FOLDERS)
    return bool(train) and bool(test) and train <= train_labels and test <= test_labels


def prepare(out: StrPath, *, archive: StrPath | None = None, url: str = URL, sha256: str | None = None,
            fallback: Callable[[Path], str] | None = None, timeout: float = 30) -> str:
    """Make `out` a complete data set; return in one line what was done.

    A complete `out` is kept. Otherwise `archive`, a local zip, is unpacked if given, else the one at `url`.
    sha256: what the zip must have, in hex. Without one, what comes from URL must hold PAIRS.
    fallback: called with `out` when the download fails; returns a line. None raises the RunError instead.

    Raises UsageError (an `out` that holds something else, a missing or bad archive), RunError.
    """
    out = Path(out)
    if is_complete(out):
        train, test = _pairs(out)
        return f"{out} is complete ({train} training, {test} test pairs): kept; delete it to get another"
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists but is no complete data set; expected {', '.join(FOLDERS)} with "
                         "a label for every image; move it away or name another --out")
    if archive:
        unpack(archive, out, sha256)
        return f"{out} unpacked from {archive}"
    place, address = out.resolve(), without_secrets(url)
    download = place.with_name(f"{place.name}.zip.download")
    try:
        fetch(url, download, sha256=sha256, timeout=timeout)
        _refuse_html(download, address)
        digest = digest_of(download)
        try:
            unpack(download, out, pairs=PAIRS if url == URL and not sha256 else None)
        except UsageError as error:
            raise RunError(f"{address}: {error}") from None
    except RunError as error:
        if fallback is None:
            raise
        print(f"no download: {error}", file=sys.stderr)
        return fallback(out)
    finally:
        download.unlink(missing_ok=True)
    return f"{out} downloaded from {address} (sha256 {digest})"


def unpack(archive: StrPath, out: StrPath, sha256: str | None = None, pairs: tuple[int, int] | None = None) -> None:
    """Unpack a zip with the four folders, at its top or inside one folder, as the new folder `out`.

    sha256: what it must have, in hex. pairs: how many training and test pairs it must hold.
    Raises UsageError if the archive is missing, broken, unsafe or something else, RunError if the disk
    refuses; `out` is then as before.
    """
    if not Path(archive).is_file():
        raise UsageError(f"{archive} is no file; expected a zip such as dataset1.zip")
    if sha256 and digest_of(archive) != sha256.lower():
        raise UsageError(f"{archive}: sha256 is {digest_of(archive)}, expected {sha256.lower()}; get it again")
    try:
        with zipfile.ZipFile(archive) as bundle:
            members = _members(bundle, archive)
            with new_folder(out) as folder:
                for info, target in members:
                    (folder / target).parent.mkdir(parents=True, exist_ok=True)
                    with bundle.open(info) as source, open(folder / target, "wb") as sink:
                        shutil.copyfileobj(source, sink)
                if pairs and _pairs(folder) != pairs:
                    raise UsageError(f"{archive} holds {_counts(_pairs(folder))} images, expected {_counts(pairs)}; "
                                     "get it again")
                if not is_complete(folder):
                    raise UsageError(f"{archive} lacks labels of some images; "
                                     "expected keras_segmentation's dataset1.zip")
    # zipfile's ways to report a broken or encrypted archive; EINVAL is a seek to where no byte can be.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OSError) as error:
        if not isinstance(error, OSError) or error.errno == errno.EINVAL:
            raise UsageError(f"{archive} is broken or no zip ({error}); get it again") from None
        raise RunError(f"{archive} to {out}: {error.strerror}; check space and permissions") from None


def _members(bundle: zipfile.ZipFile, archive: StrPath) -> list[tuple[zipfile.ZipInfo, Path]]:
    """The data set's files as (ZipInfo, relative path); refuses what leads elsewhere or fills the disk."""
    files = [info for info in bundle.infolist() if not info.is_dir()]
    if len(files) > MAX_FILES or sum(info.file_size for info in files) > MAX_BYTES:
        raise UsageError(f"{archive} unpacks to more than {MAX_BYTES >> 30} GiB or {MAX_FILES} files; "
                         "expected dataset1.zip")
    members = []
    for info in files:
        path = PureWindowsPath(info.filename)  # knows both slashes and drive letters
        if path.drive or path.root or ".." in path.parts or stat.S_ISLNK(info.external_attr >> 16):
            raise UsageError(f"{archive} holds {info.filename!r}, which leads elsewhere; do not use it")
        parts = path.parts[-2:]
        if len(path.parts) in (2, 3) and parts[0] in FOLDERS and not parts[1].startswith("."):
            members.append((info, Path(*parts)))
    missing = sorted(set(FOLDERS) - {target.parts[0] for _, target in members})
    if missing:
        raise UsageError(f"{archive} lacks {', '.join(missing)}; expected keras_segmentation's dataset1.zip")
    return members


def _refuse_html(path: Path, address: str) -> None:
    with open(path, "rb") as file:
        head = file.read(512).lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        raise RunError(f"{address} answered with a web page, not the zip (Google Drive's quota or a sign-in); "
                       "try later, or set SEGNET_DATASET1=/path/dataset1.zip")


def _pairs(folder: Path) -> tuple[int, int]:
    """The numbers of training and of test images."""
    train, test = (len(_stems(folder / name)) for name in FOLDERS[::2])
    return train, test


def _counts(pairs: tuple[int, int]) -> str:
    return "{} training and {} test".format(*pairs)


def _stems(folder: Path) -> set[str]:
    """Names without suffix of the pictures in a folder; none if it is not there."""
    if not folder.is_dir():
        return set()
    return {path.stem for path in folder.iterdir() if path.suffix.lower() in PICTURES}
