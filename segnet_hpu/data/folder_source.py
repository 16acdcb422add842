"""A data set as two folders, images and labels, paired by stem (keras_segmentation's layout)."""

import os
from pathlib import Path

from segnet_hpu.data.images import BadFile, read_image, read_label
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
        image, label = read_image(image_path), self.label(i)
        if image.shape[:2] != label.shape:
            raise wrong_size(label_path, label, image_path, image)
        return image, label

    def label(self, i):
        """Return label i alone, uint8 (H, W)."""
        return read_label(self.pairs[i][1])

    def name(self, i):
        """Return the stem that names pair i."""
        return Path(self.pairs[i][0]).stem


def pair_paths(images_dir, labels_dir):
    """Return [(image path, label path), ...] as strings, sorted by stem.

    Images are .jpg, .jpeg, .png or .bmp, labels .png or .bmp (in any case); other files, hidden files and
    labels without image are passed over. Raises UsageError for a missing or empty folder, one folder
    for both, an image without label, and files that share a stem.
    """
    images, labels = files_of_both(images_dir, labels_dir, LABEL_FORMATS)
    images, labels = only_one(images_dir, images), only_one(labels_dir, labels)
    missing = sorted(stem for stem in images if stem not in labels)
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UsageError(f"{images[missing[0]]}{more} has no label; expected {missing[0]}.png or .bmp "
                         f"in {labels_dir}. Add the label or remove the image")
    return [(images[stem], labels[stem]) for stem in sorted(images)]


def files_of_both(images_dir, labels_dir, label_formats):
    """Return {stem: [path, ...]} of the images and of the labels; raises UsageError as `pair_paths`."""
    if os.path.isdir(images_dir) and os.path.isdir(labels_dir) and os.path.samefile(images_dir, labels_dir):
        raise UsageError(f"{images_dir} is given for both images and labels; expected two folders")
    return files_by_stem(images_dir, IMAGE_FORMATS), files_by_stem(labels_dir, label_formats)


def files_by_stem(folder, formats):
    """Return {stem: [path, ...]} of the folder's visible files in these formats (lower-case suffixes).

    Raises UsageError for a folder that is missing or holds none.
    """
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
    if not stems:
        raise UsageError(f"{folder} holds no such file; {expected}")
    return stems


def only_one(folder, stems):
    """Return {stem: path}; raises UsageError if two files share a stem."""
    for paths in stems.values():
        if len(paths) > 1:
            names = " and ".join(os.path.basename(path) for path in paths)
            raise UsageError(f"{folder} holds {names}: one stem, two files. Keep one of them")
    return {stem: paths[0] for stem, paths in stems.items()}


def wrong_size(label_path, label, image_path, image):
    """Return the error for a label whose size is not its image's."""
    (height, width), (image_height, image_width) = label.shape[:2], image.shape[:2]
    return BadFile(label_path, f"is {width}x{height} but {image_path} is {image_width}x{image_height}",
                   "make the label at its image's size (resize with nearest neighbour)")
