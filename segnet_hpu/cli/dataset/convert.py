"""`dataset convert`: from a named data set to two folders, and from two folders to a named one."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from segnet_hpu.cli.data_flags import dataset_of
from segnet_hpu.cli.dataset.inputs import Inputs, open_pairs, parse_split
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data.datasets import DataSet, find
from segnet_hpu.data.datasets.description_writing import write_description
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.output_folder import new_dataset
from segnet_hpu.errors import UsageError


@dataclass(kw_only=True)
class Settings(Inputs):
    """Write a data set in another layout: as two folders of images and grey class ids, or as a named one lies."""

    split: str = option("train", "parts of the data set: a,b,c; with folders one, what it is called in --out",
                       parse=parse_split)
    to: str = option("folder", "layout to write: folder, camvid, cityscapes, kitti_road, voc, ade20k, coco_stuff, or "
                     "a .yaml description")
    out: str = option(REQUIRED, "new folder for the data set")


def run(settings: Settings) -> None:
    """Convert, and say how the result is used."""
    origin, splits = dataset_of(settings, splits=()), settings.split.split(",")
    target = find(settings.to)
    from segnet_hpu.data.convert import convert
    from segnet_hpu.data.output_layout import require_writable

    require_writable(target)
    _check(settings, origin, target, splits)
    for split in splits:
        target.split_to_write(split)  # refuses an unknown one before anything is read
    sources = {split: open_pairs(settings, split) for split in splits}
    with new_dataset(settings.out) as folder:
        lossy = sum(convert(source, target, split, folder) for split, source in sources.items())
        for source in sources.values():
            source.refuse_faulty_set()
            source.warn_of_images()
        described = target is FOLDER and origin is not None and origin.class_names is not None
        if origin and described:
            write_description(folder / "dataset.yaml", origin, splits)
    counts = ", ".join(f"{len(source)} {split}" for split, source in sources.items())
    print(f"{settings.out}: {counts} pairs in the layout of {target.name}")
    if lossy:
        print(f"{lossy} images were compressed as JPEG, with loss: {target.name} has no other format")
    out = shlex.quote(settings.out)
    place = f"--dataset {out}/dataset.yaml" if described else f"--dataset {settings.to} --data_root {out}"
    print(f"next: segnet-hpu verify_dataset {place} --split {splits[0]}"
          + (f" {settings.n_classes_flag}" if target.n_classes is None and not described else ""))


def _check(settings: Settings, origin: DataSet | None, target: DataSet, splits: Sequence[str]) -> None:
    if origin is None and len(splits) > 1:
        raise UsageError(f"--split {settings.split}: two folders are one part; convert several with --dataset folder")
    if origin and origin.class_names and target.class_names and origin.class_names != target.class_names:
        raise UsageError(f"--to {settings.to}: its classes are not those of {origin.name}; expected folder, or a "
                         "data set of the same classes")
