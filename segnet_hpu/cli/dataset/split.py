"""`dataset split`: a training and a validation part of one data set."""

import shlex
from dataclasses import dataclass

from segnet_hpu.config import REQUIRED, option
from segnet_hpu.data import split
from segnet_hpu.data.file_pairs import pair_paths
from segnet_hpu.errors import UsageError


def parse_val(value: object) -> int | float:
    """a number of pairs such as 48, or a share such as 0.2"""
    text = str(value)
    number: int | float = float(text) if "." in text else int(text)
    if number <= 0 or (isinstance(number, float) and number >= 1):
        raise ValueError("more than 0, a share less than 1")
    return number


@dataclass
class Settings:
    """Part pairs of images and labels by chance into train and val folders; the same seed gives the same parts."""

    images_path: str = option(REQUIRED, "folder of images (.jpg .jpeg .png .bmp)")
    segs_path: str = option(REQUIRED, "folder of labels (.png .bmp), named as their images")
    val: int | float = option(REQUIRED, "how many pairs become validation pairs, or their share", parse=parse_val)
    out: str = option(REQUIRED, "new folder for {images,annotations}/{train,val}/")
    seed: int = option(0, "which pairs these are", minimum=0)
    link: bool = option(False, "hard links instead of copies: no space, but an edit changes both")
    move: bool = option(False, "remove the originals, once all lies in --out")


def run(settings: Settings) -> None:
    """Split, and print the command that trains on the result."""
    if settings.link and settings.move:
        raise UsageError("--link and --move exclude each other; leave one out")
    how = split.MOVE if settings.move else split.LINK if settings.link else split.COPY
    pairs = pair_paths(settings.images_path, settings.segs_path)
    validation = split.validation_pairs(pairs, settings.val, settings.seed)
    split.write_split(pairs, validation, settings.out, how)
    print(f"{settings.out}: {len(pairs) - len(validation)} training and {len(validation)} validation pairs of seed "
          f"{settings.seed}, {how}")
    print(f"next: segnet-hpu train --model_name vgg_segnet --n_classes N --dataset folder "
          f"--data_root {shlex.quote(settings.out)}")
