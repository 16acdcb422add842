"""Words of folders and files that say what is an image, what a label, and which part of a data set they are."""

import re
from collections.abc import Iterable

LABEL = re.compile(r"mask|label|annot|segm|truth|matte|trimap|manual|parsing|"
                   r"(?<![a-z])(gt|segs?|lbls?|targets?|ann)(?![a-z])")
IMAGE = re.compile(r"image|img|photo|picture|frame|(?<![a-z])(rgb|inputs?|sat|raw|orig|originals?|x|data)(?![a-z])")
# Pictures of labels, instances and other such that lie beside the labels of classes.
SECOND_CHOICE = re.compile(r"colou?r|instance|object|visuali|(?<![a-z])(vis|viz)(?![a-z])|overlay|polygon|panoptic|"
                           r"edge|depth|dispar|lane|void")
SPLITS = {"train": "train", "training": "train", "trainset": "train", "tr": "train", "val": "val", "valid": "val",
          "validate": "val", "validation": "val", "valset": "val", "eval": "val", "evaluation": "val", "dev": "val",
          "test": "test", "testing": "test", "testset": "test", "holdout": "test", "trainval": "trainval"}
_SPLIT = re.compile(rf"(?<![a-z])({'|'.join(sorted(SPLITS, key=len, reverse=True))})"
                    r"(?=$|[^a-z]|annot|mask|label|image|img|gt)")


def words(text: str) -> str:
    """Return the text in lower case, its words apart: "SegmentationClass", "labelIds" and "top_RGB" have two each."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()


def labelled(images: str, labels: str) -> int:
    """Return 1 where the words of two series' names say that the second are the labels, -1 the first, 0 neither."""
    def rank(text: str) -> int:
        text = words(text)
        return 1 if LABEL.search(text) else -1 if IMAGE.search(text) else 0

    difference = rank(labels) - rank(images)
    return (difference > 0) - (difference < 0)


def second_choice(labels: str) -> bool:
    """Whether the name of labels speaks of something else than classes."""
    return SECOND_CHOICE.search(words(labels)) is not None


def is_split(name: str) -> bool:
    """Whether a name is a word such as train, and nothing else."""
    return name.lower() in SPLITS


def split_of(names: Iterable[str]) -> str | None:
    """Return the part that the first of the names with such a word names: train, val, test or trainval."""
    for name in names:
        found = _SPLIT.search(words(name))
        if found:
            return SPLITS[found[1]]
    return None
