"""A data set as two folders, images and labels, paired by stem (keras_segmentation's layout)."""

import os
from pathlib import Path

from segnet_hpu.data.images import read_image, read_label
from segnet_hpu.errors import UsageError

IMAGE_FORMATS = (".jpg", ".jpeg", ".png", ".bmp")
LABEL_FORMATS = (".png", ".bmp")


class FolderSource:
    """Pairs of images and labels: len(source), source[i], source.pairs, source.name(i)."""

    def __init__(self, images_dir, labels_dir):
        self.pairs = pair_paths(images_dir, labels_dir)

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        """Return (image uint8 (H, W, 3) RGB, label uint8 (H, W)); raises UsageError if sizes differ."""
        image_path, label_path = self.pairs[i]
        image, label = read_image(image_path), read_label(label_path)
        if image.shape[:2] != label.shape:
            raise UsageError(f"{label_path} is {size(label)} but {image_path} is {size(image)}; expected one "
                             "size. Make the label at its image's size (resize with nearest neighbour)")
        return image, label

    def name(self, i):
        """Return the stem that names pair i."""
        return Path(self.pairs[i][0]).stem


def pair_paths(images_dir, labels_dir):
    """Return [(image path, label path), ...] as strings, sorted by stem.

    Images are .jpg, .jpeg, .png or .bmp, labels .png or .bmp (in any case); other files, hidden files and
    labels without image are passed over. Raises UsageError for a missing or empty folder, one folder
    for both, an image without label, and files that share a stem.
    """
    if os.path.isdir(images_dir) and os.path.isdir(labels_dir) and os.path.samefile(images_dir, labels_dir):
        raise UsageError(f"{images_dir} is given for both images and labels; expected two folders")
    images = only_one(images_dir, files_by_stem(images_dir, IMAGE_FORMATS))
    labels = only_one(labels_dir, files_by_stem(labels_dir, LABEL_FORMATS))
    for folder, found, formats in ((images_dir, images, IMAGE_FORMATS), (labels_dir, labels, LABEL_FORMATS)):
        if not found:
            raise UsageError(f"{folder} holds no {' '.join(formats)} file; expected a folder of them")
    missing = sorted(stem for stem in images if stem not in labels)
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UsageError(f"{images[missing[0]]}{more} has no label; expected {missing[0]}.png or .bmp "
                         f"in {labels_dir}. Add the label or remove the image")
    return [(images[stem], labels[stem]) for stem in sorted(images)]


def files_by_stem(folder, formats):
    """Return {stem: [path, ...]} of the folder's visible files in these formats (lower-case suffixes)."""
    expected = f"expected a folder of {' '.join(formats)} files"
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file())
    except OSError as error:
        raise UsageError(f"{folder}: cannot be read ({error.strerror}); {expected}") from None
    stems = {}
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in formats and not name.startswith("."):
            stems.setdefault(stem, []).append(os.path.join(folder, name))
    return stems


def only_one(folder, stems):
    """Return {stem: path}; raises UsageError if two files share a stem."""
    for paths in stems.values():
        if len(paths) > 1:
            names = " and ".join(os.path.basename(path) for path in paths)
            raise UsageError(f"{folder} holds {names}: one stem, two files. Keep one of them")
    return {stem: paths[0] for stem, paths in stems.items()}


def size(pixels):
    """Return "WIDTHxHEIGHT" of an array (H, W, ...)."""
    return f"{pixels.shape[1]}x{pixels.shape[0]}"
