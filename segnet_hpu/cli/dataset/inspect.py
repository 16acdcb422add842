"""`dataset inspect`: the description of a folder that nobody described."""

import os
import shlex
from dataclasses import dataclass
from typing import ClassVar

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.errors import UsageError
from segnet_hpu.files import refuse_unwritable, write_text


@dataclass(kw_only=True)
class Settings:
    """Look at a folder of images and labels in any layout, and write the description by which --dataset takes it."""

    ARGUMENT: ClassVar[str] = "folder"

    folder: str = option(REQUIRED, "folder of the data set; may stand first, without its flag")
    class_names: str | None = option(None, "names for what the labels hold, in the order that is printed without "
                                     "them: a,b,c; void for what is no class, one name twice for what is one class")
    out: str | None = option(None, "new .yaml file for the description; printed if not set")


def run(settings: Settings) -> None:
    """Inspect, and print or write the description."""
    if settings.out:
        _refuse_out(settings.out)
    names = settings.class_names.split(",") if settings.class_names else None

    from segnet_hpu.data.inspection.describe import inspect_folder

    place = os.path.dirname(os.path.abspath(settings.out or "description.yaml"))
    root = settings.folder if os.path.isabs(settings.folder) else os.path.relpath(settings.folder, place)
    found = inspect_folder(settings.folder, root, names)
    if settings.out is None:
        print(found.text(), end="")
        return
    write_text(settings.out, found.text())
    print("\n".join([*found.hints, *(f"odd: {line}" for line in found.oddities)]))
    counts = ", ".join(f"{count} {split}" for split, count in found.pairs.items())
    names_to_edit = "" if names else "; put the names of your classes into it"
    print(f"{settings.out}: {counts} pairs, {len(found.description['classes'])} classes{names_to_edit}")
    print(f"next: segnet-hpu verify_dataset --dataset {shlex.quote(settings.out)}")


def _refuse_out(out: str) -> None:
    if not out.endswith((".yaml", ".yml")):
        raise UsageError(f"--out {out}: expected a name that ends in .yaml, by which --dataset takes it")
    if os.path.lexists(out):
        raise UsageError(f"--out {out} is there already, and may have been edited; remove it or name another one")
    refuse_unwritable("--out", out)
