"""Where an exported file goes, and its labels: refusals beforehand, and writing that leaves no halves."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import new_folder, refuse_unwritable, replace_file, write_text
from segnet_hpu.interchange.export.formats import FORMATS, ExportFormat, FileFormat, FolderFormat, Pictures
from segnet_hpu.interchange.load import refuse_checkpoint_of_run

if TYPE_CHECKING:
    from segnet_hpu.interchange.export.serving import Serving


def refuse_place(out: str, export_format: ExportFormat, overwrite: bool) -> None:
    """Raise UsageError, naming --out, unless the format may be written there."""
    if not out.endswith(export_format.ending):
        raise UsageError(f"--out {out}: expected a name that ends in {export_format.ending} for --format "
                         f"{export_format.name}")
    refuse_checkpoint_of_run("--out", out)
    refuse_unwritable("--out", out, folder=isinstance(export_format, FolderFormat))
    taken = [path for path in (Path(out), export_format.labels_path(out)) if path.exists()]
    if isinstance(export_format, FolderFormat):
        if Path(out).suffix and Path(out).suffix in [one.target.ending for one in FORMATS.components().values()]:
            raise UsageError(f"--out {out}: --format {export_format.name} makes a folder; expected a name without "
                             f"{Path(out).suffix}")
        if taken and not any(Path(out).iterdir()):
            taken = []
    if taken and not overwrite:
        raise UsageError(f"--out {out}: {taken[0]} exists; choose another name, or replace it with --overwrite")
    if taken and isinstance(export_format, FolderFormat) and not (Path(out) / export_format.marker).is_file():
        raise UsageError(f"--out {out} holds something else than {export_format.kind}; choose another name")


def write(out: str, export_format: ExportFormat, serving: "Serving", labels: str,
          calibration: Pictures = ()) -> None:
    """Write a Serving in a format, and the text `labels`; see refuse_place.

    A place that is taken is replaced once all is computed. Raises RunError where the network cannot be converted
    or the disk is full, UsageError where it may not be written.
    """
    if isinstance(export_format, FileFormat):
        replace_file(out, _converted(export_format, serving, calibration), make_folder=True)
        write_text(export_format.labels_path(out), labels)
    elif isinstance(export_format, FolderFormat):
        _write_folder(Path(out), export_format, serving, labels)


def _converted(export_format: FileFormat, serving: "Serving", calibration: Pictures) -> bytes:
    try:
        return export_format.convert(serving, calibration)
    except Exception as error:  # of the converters' own many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RunError(f"{serving.model.name} cannot be converted to {export_format.name} ({reason}); choose "
                       "another --format, or a fixed size") from error


def _write_folder(out: Path, export_format: FolderFormat, serving: "Serving", labels: str) -> None:
    def fill(folder: Path) -> None:
        export_format.write(serving, folder)
        write_text(export_format.labels_path(folder), labels)

    try:
        _replace_folder(out, fill)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {out} ({reason}); free some space or choose another --out") from None


def _replace_folder(out: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder and put it in the place of `out`, which stays as it is where that fails."""
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        with new_folder(out) as folder:
            fill(folder)
            if out.exists():
                os.replace(out, old)
    except BaseException:
        if old.exists() and not out.exists():
            os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)
