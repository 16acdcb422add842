"""`verify_dataset`: list every fault of a data set."""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from segnet_hpu.cli.cures import cure
from segnet_hpu.cli.data_flags import Labelled, dataset_of, folders_of
from segnet_hpu.cli.output_flags import Outputs
from segnet_hpu.config import option
from segnet_hpu.constants import MAX_CLASSES, ONE_AND_BACKGROUND
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.selection import number_of_classes
from segnet_hpu.files import write_text
from segnet_hpu.signature import FAULTS

if TYPE_CHECKING:
    from segnet_hpu.data.faults import Fault


@dataclass(kw_only=True)
class Settings(Outputs, Labelled):
    """List every fault of a data set, with its file and its cure. Exit status 1 when there is one."""

    split: str | None = option(None, "part of the data set; train and val if not set")  # type: ignore[assignment]
    n_classes: int | None = option(None, "number of classes; ids are 0..n_classes-1; a data set brings its own",
                                   minimum=2, maximum=MAX_CLASSES, example=ONE_AND_BACKGROUND)
    ignore_label: int | None = option(None, "id that marks pixels to leave out; 255 then does too", minimum=0,
                                      maximum=255)
    json: str | None = option(None, "write the faults to this file too")
    max_faults: int = option(100, "print at most so many faults; 0 prints all", minimum=0)


def run(settings: Settings) -> int:
    dataset = dataset_of(settings, ["n_classes"])
    settings.check_output("json", FAULTS)
    pairs, faults = _verify_splits(dataset, settings) if dataset else _verify_folders(settings)
    shown = faults[:settings.max_faults or None]
    for fault in shown:
        print(fault)
    if len(faults) > len(shown):
        print(f"... and {len(faults) - len(shown)} more (--max_faults 0 prints all)")
    if settings.json:
        report = {"pairs": pairs, "faults": [asdict(fault) for fault in faults]}
        write_text(settings.json, json.dumps(report, indent=1))
    print(f"{_count(len(faults), 'fault')} in {_count(pairs, 'pair')}" if faults
          else f"{_count(pairs, 'pair')}, no faults")
    if faults:
        print(cure(settings), end="")
    return 1 if faults else 0


def _verify_folders(settings: Settings) -> "tuple[int, list[Fault]]":
    """Return (number of pairs, faults)."""
    from segnet_hpu.data.verify import verify_folders

    return verify_folders(*folders_of(settings), settings.n_classes or 0, settings.ignore_label,
                          coding=settings.image_coding)


def _verify_splits(dataset: DataSet, settings: Settings) -> "tuple[int, list[Fault]]":
    """Return (number of pairs, faults) of the data set's splits, labels read as training ids."""
    from segnet_hpu.data.label_palettes import LabelPalettes
    from segnet_hpu.data.shared_images import warn_of_shared_images
    from segnet_hpu.data.verify import verify_split

    n_classes = number_of_classes(dataset, settings.n_classes)
    splits = [settings.split] if settings.split else [name for name in ("train", "val") if name in dataset.splits]
    palettes = LabelPalettes()
    found = [verify_split(dataset, settings.data_root, split, n_classes, settings.ignore_label, settings.image_coding,
                          palettes) for split in splits]
    sources, faults = [source for source, _ in found], [fault for _, faults in found for fault in faults]
    if len(sources) > 1 and not faults:
        warn_of_shared_images(*(source.pairs for source in sources))
    return sum(map(len, sources)), list(dict.fromkeys(faults))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
