"""Folders of the user's, paired by stem, labels of training ids."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.file_pairs import Pair

# keras_segmentation's names; what it calls test serves for validation.
PREPPED = {"train": Split("images_prepped_train", "annotations_prepped_train"),
           "val": Split("images_prepped_test", "annotations_prepped_test")}


@dataclass(frozen=True)
class Folder(DataSet):
    """images/{train,val} with annotations/{train,val}, or keras_segmentation's images_prepped_train and so on.

    Classes, names and void label are the user's to say.
    """

    def split_to_write(self, split: str) -> Split:
        """Return the Split of a name, which may be any."""
        return self.files.get(split) or Split(f"images/{split}", f"annotations/{split}")

    def candidates(self, root: str, split: str) -> Iterator[Pair]:
        self.split_files(split)
        if os.path.isdir(os.path.join(root, PREPPED["train"].images)):
            yield from DataSet(self.name, None, None, PREPPED).candidates(root, split)
        else:
            yield from super().candidates(root, split)


FOLDER = Folder("folder", None, None, {"train": Split("images/train", "annotations/train"),
                                       "val": Split("images/val", "annotations/val")})
