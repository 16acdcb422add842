"""What is odd with images as they are read, told when all are: pictures that were turned, ranges that do not fit."""

from collections.abc import Iterator

import numpy as np

from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.data.images import StoredImage, typical_highest

DARK, WHITE = 64, 0.5  # highest of 255 values, a quarter of the range; share of pixels of 255


class ImageCheck:
    """Notes images that are read; `oddities` tells what is odd with all of them. Safe to use from many threads."""

    def __init__(self) -> None:
        self.turned: dict[str, int] = {}  # tags of those of which no size tells over which pixels their label lies
        self.dark: dict[str, int] = {}  # percent of image_range that these use
        self.white: dict[str, int] = {}  # percent of the pixels that lie beyond image_range

    def note(self, path: str, image: StoredImage, coding: ImageCoding) -> None:
        """Note an image of the file `path` that was read as `coding` says."""
        pixels, tag, bits = image
        is_told_by_size = tag == 1 or (tag > 4 and pixels.shape[0] != pixels.shape[1])
        if coding.orientation is None and not is_told_by_size:
            self.turned[path] = tag
        if coding.image_range and bits > 8:
            highest, white = typical_highest(pixels), float(np.mean(pixels == 255))
            if 0 < highest <= DARK:
                self.dark[path] = round(highest / 2.55)
            elif white > WHITE:
                self.white[path] = round(100 * white)

    def oddities(self, count: int, coding: ImageCoding) -> Iterator[str]:
        """Yield what is odd with the images, `count` of them, a line each."""
        if self.turned:
            path = min(self.turned)
            yield (f"{len(self.turned)} of {count} images were turned by their orientation tags, such as {path} "
                   f"(tag {self.turned[path]}); if their labels were drawn over the pixels as they are stored, give "
                   "--orientation as_stored, else --orientation upright")
        for found, what in ((self.dark, "reach {}% of it alone"), (self.white, "lie beyond it in {}% of the pixels")):
            if found and coding.image_range:
                path = min(found)
                yield (f"image_range is {coding.image_range[0]}-{coding.image_range[1]}, but {len(found)} of {count} "
                       f"images {what.format(found[path])}, such as {path}; read files of another range as a data "
                       "set of their own")
