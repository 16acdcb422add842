"""Where an exported file goes, and its labels: refusals beforehand, and writing that leaves no halves."""

import os
import shutil
from pathlib import Path

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.files import new_folder, refuse_unwritable, replace_file, write_text
from segnet_hpu.interchange.export.formats import FORMATS


def labels_path(out, name):
    """Return where labels.json goes: beside a file as FILE.labels.json, inside a SavedModel among its assets.

    TensorFlow leaves assets.extra to its users.
    """
    return Path(f"{out}.labels.json") if FORMATS[name].ending else Path(out) / "assets.extra" / "labels.json"


def refuse_place(out, name, overwrite):
    """Raise UsageError, naming --out, unless the format `name` may be written there."""
    ending = FORMATS[name].ending
    if ending and not out.endswith(ending):
        raise UsageError(f"--out {out}: expected a name that ends in {ending} for --format {name}")
    if not ending and Path(out).suffix in [f.ending for f in FORMATS.values() if f.ending]:
        raise UsageError(f"--out {out}: --format {name} makes a folder; expected a name without {Path(out).suffix}")
    refuse_unwritable("--out", out, folder=not ending)
    taken = [path for path in (Path(out), labels_path(out, name)) if path.exists()]
    if not ending and taken and not any(Path(out).iterdir()):
        taken = []
    if taken and not overwrite:
        raise UsageError(f"--out {out}: {taken[0]} exists; choose another name, or replace it with --overwrite")
    if taken and not ending and not (Path(out) / "saved_model.pb").is_file():
        raise UsageError(f"--out {out} holds something else than a SavedModel; choose another name")


def write(out, name, serving, labels, calibration=None):
    """Write a Serving in the format `name`, and the text `labels`; see refuse_place.

    A place that is taken is replaced once all is computed. Raises RunError where the network cannot be converted
    or the disk is full, UsageError where it may not be written.
    """
    module = FORMATS[name].load_module()
    if FORMATS[name].ending:
        replace_file(out, _converted(module.convert, serving, name, calibration), make_folder=True)
        write_text(labels_path(out, name), labels)
        return
    import tensorflow as tf

    try:
        _write_folder(Path(out), lambda folder: module.write(serving, folder), labels)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise RunError(f"cannot write {out} ({reason}); free some space or choose another --out") from None


def _converted(convert, serving, name, calibration):
    try:
        return convert(serving, name, calibration)
    except Exception as error:  # of the converters' own many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise RunError(f"{serving.model.name} cannot be converted to {name} ({reason}); choose another --format, or "
                       "a fixed size") from error


def _write_folder(out, fill, labels):
    old = out.with_name(f".{out.name}.{os.getpid()}.old")
    try:
        with new_folder(out) as folder:
            fill(folder)
            write_text(labels_path(folder, "saved_model"), labels)
            if out.exists():
                os.replace(out, old)
    except BaseException:
        if old.exists() and not out.exists():
            os.replace(old, out)
        raise
    shutil.rmtree(old, ignore_errors=True)
