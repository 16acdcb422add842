"""What a command prints below the refusal of its data: the lines that read the data as they are, ready to paste."""

import os
from typing import Any

from segnet_hpu.data.datasets.registry import find, root_of
from segnet_hpu.data.file_pairs import Pair

# Settings of folders by split; "" is the split that the settings name.
FOLDERS = {"": ("images_path", "segs_path"), "train": ("train_images", "train_annotations"),
           "val": ("val_images", "val_annotations")}


def cure(settings: Any) -> str:
    """Return the lines, "" where a description mends nothing. settings: of the command whose data was refused."""
    split = getattr(settings, "split", None) or "train"
    dataset = getattr(settings, "dataset", None)
    return _folders(settings, split) if dataset is None else _described(str(dataset), settings.data_root, split)


def _folders(settings: Any, split: str) -> str:
    from segnet_hpu.data.inspection.cure import description_of_folders

    splits = {}
    for name, keys in FOLDERS.items():
        folders = [str(getattr(settings, key, "")) for key in keys]
        if all(map(os.path.isdir, folders)):
            splits[name or split] = Pair(*folders)
    lines = description_of_folders(splits, getattr(settings, "n_classes", None),
                                   getattr(settings, "ignore_label", None))
    told = ("# These lines read the files as they are: save them as labels.yaml, name the classes, and give\n"
            "# --dataset labels.yaml in place of the folders and --n_classes.\n")
    return told + lines if lines else ""


def _described(path: str, data_root: str | None, split: str) -> str:
    from segnet_hpu.data.inspection.cure import lines_of_dataset

    if not path.endswith((".yaml", ".yml")):
        return ""
    dataset = find(path)
    lines = lines_of_dataset(dataset, root_of(dataset, data_root),
                             split if split in dataset.splits else dataset.splits[0])
    return f"# In {path} these lines read the labels as they are; name the classes.\n{lines}" if lines else ""
