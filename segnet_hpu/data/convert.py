"""Write a data set in the layout of another; labels stay exact, images too where the format is the same."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from segnet_hpu.data.colours import voc_colour
from segnet_hpu.data.containers import with_palette
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.public.voc import VOC
from segnet_hpu.data.file_pairs import Pair, stem_of
from segnet_hpu.data.output_folder import copy_file
from segnet_hpu.data.output_layout import file_values, image_ending, relative_paths
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.data.source import DataSetSource
from segnet_hpu.errors import UsageError
from segnet_hpu.progress import progress


def convert(source: DataSetSource, dataset: DataSet, split: str, folder: Path) -> int:
    """Write all pairs of `source` below `folder`; return how many images were compressed anew, with loss.

    source: labels of training ids. dataset: whose layout and label values are wanted.
    Streams: memory does not grow with the size or number of pictures.
    Raises UsageError for ids that the data set does not have, for two files that would be one and for one that would
    lie outside `folder`.
    """
    files, (values, known) = dataset.split_to_write(split), file_values(dataset)
    originals = [source.original(i) for i in range(len(source))]
    targets = [relative_paths(files, source.name(i), original) for i, original in enumerate(originals)]
    written = [path for pair in targets for path in pair] + ([files.listed] if files.listed else [])
    _refuse_outside(written, dataset.name)
    _refuse_collisions(targets, written, folder)

    def write(i: int) -> bool:
        image, label = source[i]
        if not known[label].all():
            raise UsageError(f"{source.pairs[i].label} holds the training id {label[~known[label]].max()}, which "
                             f"{dataset.name} does not have; map it first, or name it as --ignore_label")
        write_label(folder / targets[i].label, values[label], dataset is VOC)
        return write_image(folder / targets[i].image, image, originals[i])

    pairs = prefetched(write, range(len(source)), CORES, 2 * CORES)
    lossy = sum(progress(pairs, len(source), f"{split} written", "pair"))
    if files.listed:
        _write_list(folder / files.listed, targets)
    return lossy


def write_label(path: Path, values: np.ndarray, palette: bool = False) -> None:
    """Write values (H, W) or colours (H, W, 3) RGB as PNG; palette: ids as indices of PASCAL VOC's colours."""
    data = cv2.imencode(".png", values[..., ::-1] if values.ndim == 3 else values)[1].tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(with_palette(data, map(voc_colour, range(256))) if palette else data)


def write_image(path: Path, image: np.ndarray, original: str = "") -> bool:
    """Write uint8 RGB (H, W, 3), as a copy of the file `original` where its format is that of `path`.

    Returns whether it was compressed with loss.
    """
    if original and image_ending(original) == path.suffix:
        copy_file(original, path)
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image[:, :, ::-1])[1].tobytes())  # JPEG of quality 95
    return path.suffix == ".jpg"


def _refuse_outside(paths: Sequence[str], layout: str) -> None:
    """Refuse the paths of a layout that lead out of its folder, which a description may hold."""
    for path in paths:
        if os.path.isabs(path) or ".." in path.split("/"):
            raise UsageError(f"--to {layout}: {path} would lie outside --out; expected patterns below its root, "
                             "without .. in them")


def _refuse_collisions(targets: Sequence[Pair], written: Sequence[str], folder: Path) -> None:
    seen: set[str] = set()
    for image, _ in targets:
        stem = os.path.splitext(image)[0]
        if stem in seen or (folder / image).exists():
            raise UsageError(f"two pairs would both be {image}; expected names that differ. Rename one")
        seen.add(stem)
    for path, count in Counter(map(os.path.normpath, written)).items():
        if count > 1 or (folder / path).exists():
            raise UsageError(f"two files would both be {path}; expected a layout that "
                             "keeps images, labels and list apart")


def _write_list(path: Path, targets: Sequence[Pair]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    stems = "".join(f"{stem_of(pair.image)}\n" for pair in targets)
    path.write_text(stems, encoding="utf-8", errors="surrogateescape")
