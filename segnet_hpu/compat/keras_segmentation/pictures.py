"""Pictures and labels as keras_segmentation's users give them: paths, or arrays in OpenCV's BGR order."""

import numpy as np

from segnet_hpu.data.images import blue_channel, read_image, read_label, rgb_of_bgr
from segnet_hpu.data.source import wrong_size
from segnet_hpu.errors import UsageError


class GivenPairs:
    """A source of pictures and labels, each a path or an array."""

    def __init__(self, images, labels):
        self.images, self.labels = images, labels

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        """Return (image uint8 (H, W, 3) RGB, label uint8 (H, W)); raises UsageError if they do not fit."""
        image, label = picture_of(self.images[i]), _label_of(self.labels[i])
        names = [f"{what}[{i}]" if isinstance(given[i], np.ndarray) else given[i]
                 for what, given in (("inp_images", self.images), ("annotations", self.labels))]
        if image.shape[2] != 3:
            raise UsageError(f"{names[0]} has {image.shape[2]} channels; expected 3, BGR")
        if image.shape[:2] != label.shape:
            raise wrong_size(names[1], label, names[0], image)
        return image, label


def picture_of(inp, read_image_type=1):
    """Return the picture, uint8 (H, W, C) RGB, of a path or of a BGR array, whose values are brought to 0..255.

    read_image_type: 1 reads in colour, 0 in grey. Raises UsageError for what cannot be read.
    """
    if isinstance(inp, np.ndarray):
        return rgb_of_bgr(np.atleast_3d(inp))
    return read_image(inp, 3 if read_image_type else 1)


def _label_of(annotation):
    """The label, uint8 (H, W), of a path or an array; ids that uint8 does not hold are void."""
    if not isinstance(annotation, np.ndarray):
        return read_label(annotation)
    ids = blue_channel(annotation)
    return np.where((ids >= 0) & (ids <= 255), ids, 255).astype(np.uint8)
