"""keras_segmentation's pairs of files: by stem, in the folder's own order; and those of subfolders after them."""

import os
from collections.abc import Collection, Mapping, Sequence

from segnet_hpu.data.file_pairs import (
    IMAGE_FORMATS,
    LABEL_FORMATS,
    Pair,
    PathsByStem,
    in_folders_of_both,
    refuse_one_folder,
    stems_in,
)
from segnet_hpu.data.left_out import tell_left_out_of_folders
from segnet_hpu.errors import UsageError
from segnet_hpu.files import StrPath


class DataLoaderError(UsageError):
    """Files that do not pair up, or cannot be read."""


def get_pairs_from_paths(images_path: StrPath, segs_path: StrPath, ignore_non_matching: bool = False,
                         other_inputs_paths: Sequence[StrPath] | None = None) -> list[tuple]:
    """Return [(image path, label path), ...] of two folders, paired by stem, in the folder's own order.

    Files are those that every command takes, so that of subfolders those that both have; what is left out is warned
    of. ignore_non_matching: leave out images without label, without a word. other_inputs_paths: folders of further
    pictures; each entry then ends in the list of their paths. Raises DataLoaderError for an image without label or
    further picture, and for labels that share a stem; UsageError for one folder given twice.
    """
    refuse_one_folder(images_path, segs_path)
    images, labels = in_folders_of_both(_stems(images_path, IMAGE_FORMATS, segs_path),
                                        _stems(segs_path, LABEL_FORMATS, images_path))
    label_of = _only_one(labels)
    others = [images_by_stem(folder) for folder in other_inputs_paths or ()]
    pairs: list[tuple] = []
    for stem, path in _in_own_order(images_path, images):
        if stem in label_of:
            further = [partner(stem, path, files, folder)
                       for files, folder in zip(others, other_inputs_paths or (), strict=True)]
            pairs.append((path, label_of[stem]) + ((further,) if other_inputs_paths is not None else ()))
        elif not ignore_non_matching:
            raise DataLoaderError(f"{path} has no label; expected {stem}.png or .bmp in {segs_path}. Add it, remove "
                                  "the image, or set ignore_non_matching")
    if not ignore_non_matching:
        tell_left_out_of_folders(images_path, segs_path, [Pair(*pair[:2]) for pair in pairs])
    return pairs


def image_paths(images_path: StrPath) -> list[str]:
    """Return the paths of the images in a folder, in its own order, and then of those below it."""
    return [path for _, path in _in_own_order(images_path, _stems(images_path, IMAGE_FORMATS))]


def images_by_stem(folder: StrPath) -> dict[str, str]:
    """Return {stem: path} of the images in and below a folder, a/b/stem; raises DataLoaderError for two of a stem."""
    return _only_one(_stems(folder, IMAGE_FORMATS))


def partner(stem: str, image: str, files: Mapping[str, str], folder: StrPath) -> str:
    """Return the path of an image's further input; raises DataLoaderError if `folder` has none."""
    if stem not in files:
        raise DataLoaderError(f"{image} has no further input in {folder}; expected a picture named {stem} there")
    return files[stem]


def _stems(folder: StrPath, formats: Collection[str], leave: StrPath | None = None) -> PathsByStem:
    """{stem: [path, ...]} of the files in and below a folder; raises DataLoaderError where it cannot be read."""
    try:
        return stems_in(folder, formats, leave=leave)
    except OSError as error:
        raise DataLoaderError(f"{folder}: cannot be read ({error.strerror}); expected a folder of "
                              f"{' '.join(formats)} files") from None


def _in_own_order(folder: StrPath, stems: PathsByStem) -> list[tuple[str, str]]:
    """[(stem, path)], in the order of the folder, by which keras_segmentation's shuffled batches go."""
    names = os.listdir(folder)
    place = {os.path.join(folder, name): i for i, name in enumerate(names)}
    files = [(stem, path) for stem, paths in stems.items() for path in paths]
    return sorted(files, key=lambda file: place.get(file[1], len(names)))


def _only_one(stems: PathsByStem) -> dict[str, str]:
    for paths in stems.values():
        if len(paths) > 1:
            raise DataLoaderError(f"{paths[0]} and {paths[1]} share a stem; keep one of them")
    return {stem: paths[0] for stem, paths in stems.items()}
