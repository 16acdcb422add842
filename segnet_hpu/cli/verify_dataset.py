"""`verify_dataset`: list every fault of a data set."""

import json
from dataclasses import asdict, dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.classes import MAX_CLASSES


@dataclass
class Settings:
    """List every fault of a data set, with its file and its cure. Exit status 1 when there is one."""

    images_path: str = option(REQUIRED, "folder of images (.jpg .jpeg .png .bmp)")
    segs_path: str = option(REQUIRED, "folder of labels (.png .bmp), named as their images")
    n_classes: int = option(REQUIRED, "number of classes; ids are 0..n_classes-1", minimum=1,
                            maximum=MAX_CLASSES)
    ignore_label: int | None = option(None, "id that marks pixels to leave out", minimum=0, maximum=255)
    json: str | None = option(None, "write the faults to this file too")
    max_faults: int = option(100, "print at most so many faults; 0 prints all", minimum=0)


def run(settings):
    from segnet_hpu.data import verify
    from segnet_hpu.files import refuse_unwritable, write_text

    if settings.json:
        refuse_unwritable("--json", settings.json)
    pairs, faults = verify.match_files(settings.images_path, settings.segs_path)
    faults += verify.check_pairs(pairs, settings.n_classes, settings.ignore_label)
    shown = faults[:settings.max_faults or None]
    for fault in shown:
        print(fault)
    if len(faults) > len(shown):
        print(f"... and {len(faults) - len(shown)} more (--max_faults 0 prints all)")
    if settings.json:
        report = {"pairs": len(pairs), "faults": [asdict(fault) for fault in faults]}
        write_text(settings.json, json.dumps(report, indent=1))
    print(f"{_count(len(faults), 'fault')} in {_count(len(pairs), 'pair')}" if faults
          else f"{_count(len(pairs), 'pair')}, no faults")
    return 1 if faults else 0


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
