"""What the images of a data set are: sizes, bits, bands, orientation; and how their labels' sizes fit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.image_files import read_file
from segnet_hpu.data.image_header import ImageHeader
from segnet_hpu.data.images import read_image
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.progress import progress

Size = tuple[int, int]  # height, width
LISTED = 4


@dataclass
class ImageSurvey:
    """What the images are.

    kinds: {bits and bands in words: paths}. sizes: {(height, width) as they are seen: number}. turned: paths of those
    with an orientation tag. misfits: pairs whose sizes differ, with both sizes in words. bad: what cannot be read.
    """

    kinds: dict[str, list[str]] = field(default_factory=dict)
    sizes: Counter[Size] = field(default_factory=Counter)
    turned: list[str] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    bad: list[BadFile] = field(default_factory=list)

    def line(self) -> str:
        """Return sizes and kinds on one line."""
        kinds = ", ".join(f"{len(paths)} of {kind}" for kind, paths in self.kinds.items())
        if not self.sizes:
            return "images: none can be read"
        (height, width), count = self.sizes.most_common(1)[0]
        sizes = f"all {height}x{width}" if len(self.sizes) == 1 else (
            f"{len(self.sizes)} sizes, {count} of {height}x{width}")
        return f"images: {kinds}; {sizes} (height x width)"

    def oddities(self) -> Iterator[str]:
        """Yield what is odd with the images, a line each."""
        if len(self.kinds) > 1:
            yield "images of several kinds: " + "; ".join(f"{kind}, such as {paths[0]}" for kind, paths in
                                                          self.kinds.items())
        if self.turned:
            yield (f"{len(self.turned)} images have an orientation tag, such as {self.turned[0]}: they are turned as "
                   "viewers turn them; --orientation as_stored leaves them")
        if self.misfits:
            yield f"{len(self.misfits)} labels have another size than their image: {self.misfits[0]}"
        yield from (str(error) for error in self.bad[:LISTED])
        if len(self.bad) > LISTED:
            yield f"{len(self.bad) - LISTED} more images cannot be read so"


def survey_images(pairs: Sequence[Pair], label_sizes: Mapping[str, Size]) -> ImageSurvey:
    """Return what the images of pairs are, from their headers; of further bits and bands also from their pixels.

    label_sizes: {path of a label: (height, width)}.
    """
    survey = ImageSurvey()
    read = prefetched(_read, [pair.image for pair in pairs], CORES, 4 * CORES)
    for pair, (header, error) in zip(pairs, progress(read, len(pairs), "images looked at"), strict=True):
        if error:
            survey.bad.append(error)
        if header is None:
            continue
        survey.kinds.setdefault(_kind(header), []).append(pair.image)
        size = _seen(header)
        survey.sizes[size] += 1
        if header.orientation > 1:
            survey.turned.append(pair.image)
        label = label_sizes.get(pair.label, size)
        if label != size:
            survey.misfits.append(f"{pair.label} is {label[0]}x{label[1]}, {pair.image} {size[0]}x{size[1]}")
    return survey


def _read(path: str) -> tuple[ImageHeader | None, BadFile | None]:
    header = None
    try:
        _, header = read_file(path)
        if header.bits > 8 or header.further or header.kind != "whole":
            read_image(path)
    except BadFile as error:
        return header, error
    return header, None


def _kind(header: ImageHeader) -> str:
    bands = header.colours + header.further
    colours = "palette colours" if header.has_palette else f"{bands} bands" if bands > 1 else "1 band"
    return f"{colours} of {header.bits} bits"


def _seen(header: ImageHeader) -> Size:
    """The size after turning."""
    return (header.width, header.height) if header.orientation > 4 else (header.height, header.width)
