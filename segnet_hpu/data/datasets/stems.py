"""Two folders whose files belong together by their stems."""

import os

from segnet_hpu.data.folder_source import LABEL_FORMATS, files_of_both, only_one


def by_stem(images_dir, labels_dir):
    """Yield (image path, label path) sorted by stem; an image without label has the path of a PNG that is not there.

    Raises UsageError as data.folder_source.pair_paths, but not for images without label.
    """
    images, labels = files_of_both(images_dir, labels_dir, LABEL_FORMATS)
    images, labels = only_one(images_dir, images), only_one(labels_dir, labels)
    for stem in sorted(images):
        yield images[stem], labels.get(stem) or os.path.join(labels_dir, f"{stem}.png")
