"""keras_segmentation's pairs of files: by stem, in the folder's own order."""

import os
from collections.abc import Collection, Mapping, Sequence

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, LABEL_FORMATS
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath


class DataLoaderError(UsageError):
    """Files that do not pair up, or cannot be read."""


def get_pairs_from_paths(images_path: StrPath, segs_path: StrPath, ignore_non_matching: bool = False,
                         other_inputs_paths: Sequence[StrPath] | None = None) -> list[tuple]:
    """Return [(image path, label path), ...] of two folders, paired by stem, in the folder's own order.

    ignore_non_matching: leave out images without label. other_inputs_paths: folders of further pictures;
    each entry then ends in the list of their paths. Raises DataLoaderError for an image without label or
    further picture, and for labels that share a stem.
    """
    images = _list(images_path, IMAGE_FORMATS)
    labels = _by_stem(segs_path, LABEL_FORMATS)
    others = [images_by_stem(folder) for folder in other_inputs_paths or ()]
    pairs: list[tuple] = []
    for stem, path in images:
        if stem in labels:
            further = [partner(stem, path, files, folder)
                       for files, folder in zip(others, other_inputs_paths or (), strict=True)]
            pairs.append((path, labels[stem]) + ((further,) if other_inputs_paths is not None else ()))
        elif not ignore_non_matching:
            raise DataLoaderError(f"{path} has no label; expected {stem}.png or .bmp in {segs_path}. Add it, remove "
                                  "the image, or set ignore_non_matching")
    return pairs


def image_paths(images_path: StrPath) -> list[str]:
    """Return the paths of a folder's images, in the folder's own order."""
    return [path for _, path in _list(images_path, IMAGE_FORMATS)]


def images_by_stem(folder: StrPath) -> dict[str, str]:
    """Return {stem: path} of a folder's images; raises DataLoaderError where two share a stem."""
    return _by_stem(folder, IMAGE_FORMATS)


def partner(stem: str, image: str, files: Mapping[str, str], folder: StrPath) -> str:
    """Return the path of an image's further input; raises DataLoaderError if `folder` has none."""
    if stem not in files:
        raise DataLoaderError(f"{image} has no further input in {folder}; expected a picture named {stem} there")
    return files[stem]


def _list(folder: StrPath, formats: Collection[str]) -> list[tuple[str, str]]:
    """[(stem, path)] of a folder's files in these formats."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise DataLoaderError(f"{folder}: cannot be read ({error.strerror}); expected a folder of "
                              f"{' '.join(formats)} files") from None
    parts = [(*os.path.splitext(name), os.path.join(folder, name)) for name in names]
    return [(stem, path) for stem, suffix, path in parts if suffix.lower() in formats and os.path.isfile(path)]


def _by_stem(folder: StrPath, formats: Collection[str]) -> dict[str, str]:
    files: dict[str, str] = {}
    for stem, path in _list(folder, formats):
        if stem in files:
            raise DataLoaderError(f"{files[stem]} and {path} share a stem; keep one of them")
        files[stem] = path
    return files
