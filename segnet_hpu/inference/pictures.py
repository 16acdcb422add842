"""Pictures to try a network on."""

from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem
from segnet_hpu.data.images import read_image

DRAWN = 8


class FolderPictures:
    """Pictures of a folder, evenly spread over its names, `at_most` of them; each is read when it is asked for.

    Iterating yields uint8 RGB (H, W, 3). Raises UsageError for a folder without pictures and, later, for a
    file that cannot be read.
    """

    def __init__(self, folder, at_most):
        paths = [path for paths in files_by_stem(folder, IMAGE_FORMATS).values() for path in paths]
        count = min(at_most, len(paths))
        self.paths = [paths[i * len(paths) // count] for i in range(count)]

    def __iter__(self):
        return map(read_image, self.paths)


class DrawnPictures:
    """The first street scenes of the sample data; iterating yields uint8 RGB (360, 480, 3)."""

    def __iter__(self):
        from segnet_hpu.samples.scene import draw_scene

        return (draw_scene(0, i)[0] for i in range(DRAWN))
