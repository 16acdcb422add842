"""Augmented copies of a data set on the disk, the originals beside them."""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from segnet_hpu.data.augmentation import Augmentation
from segnet_hpu.data.convert import write_image, write_label
from segnet_hpu.data.datasets.folder import FOLDER
from segnet_hpu.data.output_layout import relative_paths
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.data.preprocessing import PairFunction, TrainTransform
from segnet_hpu.data.source import DataSetSource
from segnet_hpu.errors import UsageError
from segnet_hpu.progress import progress


def write_copies(source: DataSetSource, split: str, folder: Path, copies: int, augmentation: Augmentation,
                 seed: int = 0, mirror: bool = False, custom: PairFunction | None = None,
                 n_classes: int | None = None) -> None:
    """Write every pair and its `copies` as NAME, NAME_aug1, NAME_aug2, ... below `folder`, as two folders.

    augmentation: applied at the image's own size;
    copy k of pair i draws from the stream [seed, i, k]. mirror: every second copy is mirrored and the others are not,
    in place of the augmentation's chance. custom, n_classes: see TrainTransform. Copies are PNG; the originals keep
    their image file. Void is 255.
    Raises UsageError where names collide.
    """
    names = [source.name(i) for i in range(len(source))]
    files = FOLDER.split_to_write(split)
    _refuse_collisions(names, copies)
    variants = [augmentation] * copies
    if mirror:
        variants = [dataclasses.replace(augmentation, **{"flip": float(k % 2)}) for k in range(copies)]

    def write(i: int) -> None:
        image, label = source[i]
        put(names[i], image, label, source.original(i))
        for k, variant in enumerate(variants, 1):
            transform = TrainTransform(label.shape, label.shape, variant, custom=custom, n_classes=n_classes)
            put(f"{names[i]}_aug{k}", *transform(image, label, np.random.default_rng([seed, i, k])))

    def put(name: str, image: np.ndarray, label: np.ndarray, original: str = "") -> None:
        image_path, label_path = relative_paths(files, name, original)
        write_image(folder / image_path, image, original)
        write_label(folder / label_path, label)

    for _ in progress(prefetched(write, range(len(source)), CORES, 2 * CORES), len(source), "augmented", "pair"):
        pass


def _refuse_collisions(names: Sequence[str], copies: int) -> None:
    known = Counter(names)
    name, count = known.most_common(1)[0]
    if count > 1:
        raise UsageError(f"two pairs would both be {name}; expected names that differ. Rename one")
    for name in names:
        for k in range(1, copies + 1):
            if f"{name}_aug{k}" in known:
                raise UsageError(f"{name}_aug{k} is there already, the name of a copy of {name}; augment the data "
                                 "set that it was made from")
