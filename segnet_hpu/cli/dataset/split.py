"""`dataset split`: a training and a validation part of one data set."""

import shlex
from dataclasses import dataclass, replace

from segnet_hpu.cli.data_flags import dataset_of
from segnet_hpu.cli.dataset.inputs import Inputs, open_pairs
from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data import split
from segnet_hpu.data.datasets import DataSet
from segnet_hpu.data.faults import refuse
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.errors import UsageError


def parse_val(value: object) -> int | float:
    """a number of pairs such as 48, or a share such as 0.2"""
    text = str(value)
    number: int | float = float(text) if "." in text else int(text)
    if number <= 0 or (isinstance(number, float) and number >= 1):
        raise ValueError("more than 0, a share less than 1")
    return number


@dataclass(kw_only=True)
class Settings(Inputs):
    """Part pairs of images and labels by chance into train and val folders; the same seed gives the same parts."""

    split: str = option("train", "part of the data set to divide")
    val: int | float = option(REQUIRED, "how many pairs become validation pairs, or their share", parse=parse_val)
    out: str = option(REQUIRED, "new folder for {images,annotations}/{train,val}/")
    seed: int = option(0, "which pairs these are", minimum=0)
    link: bool = option(False, "hard links instead of copies: no space, but an edit changes both")
    move: bool = option(False, "remove the originals, once all lies in --out")


def run(settings: Settings) -> None:
    """Split, and print the command that trains on the result."""
    if settings.link and settings.move:
        raise UsageError("--link and --move exclude each other; leave one out")
    dataset = dataset_of(settings)
    if dataset and type(dataset).read_label is not DataSet.read_label:
        raise UsageError(f"--dataset {dataset.name} reads its labels in a way of its own; bring it into two "
                         "folders first: segnet-hpu dataset convert")
    how = split.MOVE if settings.move else split.LINK if settings.link else split.COPY
    source = open_pairs(settings, settings.split)
    validation = split.validation_pairs(source.pairs, settings.val, settings.seed)
    names = {pair: source.name(i) for i, pair in enumerate(source.pairs)}
    described = None
    if dataset and dataset.class_names:
        described = replace(dataset.with_void(settings.ignore_label), image_files=source.coding)
    from segnet_hpu.data.verify import check_source

    refuse(check_source(source))
    split.write_split(source.pairs, validation, settings.out, how, names, described)
    print(f"{settings.out}: {len(names) - len(validation)} training and {len(validation)} validation pairs of seed "
          f"{settings.seed}, {how}")
    out = shlex.quote(settings.out)
    data = f"--dataset {out}/dataset.yaml" if described else (
        f"{settings.n_classes_flag} --dataset folder --data_root {out}{_flags(settings.ignore_label, source.coding)}")
    print(f"next: segnet-hpu train --model_name vgg_segnet {data}")


def _flags(ignore_label: int | None, coding: ImageCoding) -> str:
    """What a training must be told of files that no description goes with."""
    values = {"ignore_label": ignore_label, "orientation": coding.orientation,
              "image_range": coding.image_range and "{}-{}".format(*coding.image_range)}
    flags = [f" --{name} {value}" for name, value in values.items() if value is not None]
    return "".join(flags) + (" --ignore_alpha" if coding.ignore_alpha else "")
