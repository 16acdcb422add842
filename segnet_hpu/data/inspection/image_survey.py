"""What the images of a data set are: sizes, bits, bands, orientation; and how their labels' sizes fit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.file_pairs import Pair
from segnet_hpu.data.image_coding import AS_STORED, UPRIGHT, ImageCoding
from segnet_hpu.data.image_files import read_file
from segnet_hpu.data.image_header import ImageHeader
from segnet_hpu.data.images import DARK, highest_value, likely_range, read_image
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.progress import progress

Size = tuple[int, int]  # height, width
LISTED = 4


@dataclass
class ImageSurvey:
    """What the images are.

    kinds: {bits and bands in words: paths}. sizes: {(height, width) as they are seen: number}. turned: paths of those
    with an orientation tag. upright, stored: numbers of labels that lie over pictures as they are seen, and over the
    pixels as stored, where a tag makes their sizes differ. highest: {path: highest value} of files of 16 bits.
    misfits: pairs whose sizes differ, with both sizes in words. bad: what cannot be read.
    """

    kinds: dict[str, list[str]] = field(default_factory=dict)
    sizes: Counter[Size] = field(default_factory=Counter)
    turned: list[str] = field(default_factory=list)
    upright: int = 0
    stored: int = 0
    highest: dict[str, int] = field(default_factory=dict)
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

    def coding(self) -> ImageCoding:
        """Return how the files are meant, as far as that is sure."""
        orientation = None
        if bool(self.upright) != bool(self.stored):
            orientation = UPRIGHT if self.upright else AS_STORED
        is_dark = any(value < DARK for value in self.highest.values())
        return ImageCoding(orientation, likely_range(max(self.highest.values())) if is_dark else None)

    def oddities(self) -> Iterator[str]:
        """Yield what is odd with the images, a line each."""
        if len(self.kinds) > 1:
            yield "images of several kinds: " + "; ".join(f"{kind}, such as {paths[0]}" for kind, paths in
                                                          self.kinds.items())
        if self.turned:
            yield (f"{len(self.turned)} images have an orientation tag, such as {self.turned[0]}: they are turned as "
                   "viewers turn them, unless orientation is as_stored")
        if self.upright and self.stored:
            yield f"{self.upright} labels lie over upright images, {self.stored} over the pixels as they are stored"
        if self.coding().image_range:
            path = max(self.highest, key=lambda path: self.highest[path])
            yield f"{path} holds values up to {self.highest[path]} in 16 bits: image_range says which ones are white"
            white = likely_range(self.highest[path])
            darker = [other for other, value in self.highest.items() if likely_range(value) != white]
            if darker:
                yield (f"{len(darker)} of {len(self.highest)} images of more than 8 bits hold values of fewer bits, "
                       f"such as {darker[0]} up to {self.highest[darker[0]]}: image_range makes them dark; where "
                       "they are of another camera, describe them as a data set of their own")
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
    for pair, (header, highest, error) in zip(pairs, progress(read, len(pairs), "images looked at"), strict=True):
        if error:
            survey.bad.append(error)
        if highest:
            survey.highest[pair.image] = highest
        if header is None:
            continue
        survey.kinds.setdefault(_kind(header), []).append(pair.image)
        size, stored = _seen(header), (header.height, header.width)
        survey.sizes[size] += 1
        if header.orientation > 1:
            survey.turned.append(pair.image)
        label = label_sizes.get(pair.label, size)
        if size != stored:
            survey.upright += label == size
            survey.stored += label == stored
        if label not in (size, stored):
            survey.misfits.append(f"{pair.label} is {label[0]}x{label[1]}, {pair.image} {size[0]}x{size[1]}")
    return survey


def _read(path: str) -> tuple[ImageHeader | None, int | None, BadFile | None]:
    """Return header, highest value if there are 16 bits, and what is wrong."""
    header = highest = None
    try:
        _, header = read_file(path)
        if header.bits > 8 or header.further or header.kind != "whole":
            read_image(path, coding=ImageCoding(image_range=(0, (1 << header.bits) - 1)))
        if header.bits == 16:  # others say themselves which value is white
            highest = highest_value(path)
    except BadFile as error:
        return header, highest, error
    return header, highest, None


def _kind(header: ImageHeader) -> str:
    bands = header.colours + header.further
    colours = "palette colours" if header.has_palette else f"{bands} bands" if bands > 1 else "1 band"
    return f"{colours} of {header.bits} bits"


def _seen(header: ImageHeader) -> Size:
    """The size after turning."""
    return (header.width, header.height) if header.orientation > 4 else (header.height, header.width)
