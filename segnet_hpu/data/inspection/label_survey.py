"""What label files hold: values or colours, and how these lie."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from segnet_hpu.data.colours import Colour
from segnet_hpu.data.faults import BadFile
from segnet_hpu.data.image_files import read_file
from segnet_hpu.data.label_palettes import LabelPalettes
from segnet_hpu.data.labels import read_label_channels, read_label_colours
from segnet_hpu.data.prefetch import CORES, prefetched
from segnet_hpu.progress import progress

GREY, PALETTE, BLUE, COLOURED = "grey", "with a palette", "blue alone", "coloured"
KEPT = 4096  # different entries of one file; what holds more is no label


@dataclass
class Occurrence:
    """How often a value or colour occurs: pixels, and those of them within areas of it."""

    pixels: int = 0
    in_areas: int = 0

    def add(self, pixels: int, in_areas: int) -> None:
        self.pixels, self.in_areas = self.pixels + pixels, self.in_areas + in_areas


@dataclass
class LabelSurvey:
    """What the label files of a set hold.

    entries: values 0..65535 as stored, or colours 0xrrggbb if `coloured`. kinds: files of each kind. palette: the
    colours of the indices that occur, of the first file that gives one a colour. together: {entries that occur in one
    file: number of such files}. bad: files that cannot be read as labels. sizes: (height, width) by path.
    """

    coloured: bool = False
    entries: dict[int, Occurrence] = field(default_factory=dict)
    kinds: dict[str, list[str]] = field(default_factory=dict)
    palette: dict[int, Colour] = field(default_factory=dict)
    together: Counter[frozenset[int]] = field(default_factory=Counter)
    bad: list[BadFile] = field(default_factory=list)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What the entries are, in words."""
        return "colours" if self.coloured else "values"

    @property
    def pixels(self) -> int:
        return sum(entry.pixels for entry in self.entries.values())


@dataclass(frozen=True)
class _Label:
    """One file; counts: {entry: (pixels, those in areas)}."""

    path: str
    kind: str
    counts: dict[int, tuple[int, int]]
    palette: dict[int, Colour]
    size: tuple[int, int]


def survey_labels(paths: Sequence[str], quiet: bool = False) -> LabelSurvey:
    """Return what label files hold. quiet: without progress.

    All files count as coloured where one is, and where palettes have different colours for one index.
    """
    read = prefetched(_read, paths, CORES, 4 * CORES)
    labels = list(read if quiet else progress(read, len(paths), "labels read"))
    survey = LabelSurvey(bad=[label for label in labels if isinstance(label, BadFile)])
    sound = [label for label in labels if isinstance(label, _Label)]
    survey.coloured = any(label.kind == COLOURED for label in sound) or _palettes_differ(sound)
    for label in sound:
        survey.kinds.setdefault(label.kind, []).append(label.path)
        survey.sizes[label.path] = label.size
        survey.palette = label.palette | survey.palette
        counts = _counts_of_colours(label.path) if survey.coloured and label.kind != COLOURED else label.counts
        survey.together[frozenset(counts)] += 1
        for entry, (pixels, in_areas) in counts.items():
            survey.entries.setdefault(entry, Occurrence()).add(pixels, in_areas)
    return survey


def _read(path: str) -> "_Label | BadFile":
    try:
        label = read_label_channels(path)
        indexed = read_file(path)[1].has_palette
        colours = read_label_colours(path) if indexed else None
    except BadFile as error:
        return error
    size = (label.shape[0], label.shape[1])
    if label.ndim == 2:
        palette = {} if colours is None else _palette(label, colours)
        return _Label(path, PALETTE if indexed else GREY, _counts(label), palette, size)
    blue, green, red = (label[:, :, channel] for channel in range(3))
    if np.array_equal(blue, green) and np.array_equal(blue, red):
        return _Label(path, GREY, _counts(blue), {}, size)
    if not green.any() and not red.any():
        return _Label(path, BLUE, _counts(blue), {}, size)
    return _Label(path, COLOURED, _counts(_codes(label[:, :, ::-1])), {}, size)


def _palettes_differ(labels: Iterable[_Label]) -> bool:
    """Whether labels that are read by their values would contradict each other."""
    palettes = LabelPalettes()
    for label in labels:
        palettes.note(label.path)
    return palettes.fault is not None


def _codes(colours: np.ndarray) -> np.ndarray:
    """int32 (H, W), 0xrrggbb, of RGB (H, W, 3)."""
    red, green, blue = np.moveaxis(colours.astype(np.int32), 2, 0)
    return red << 16 | green << 8 | blue


def _counts_of_colours(path: str) -> dict[int, tuple[int, int]]:
    return _counts(_codes(read_label_colours(path)))


def _counts(entries: np.ndarray) -> dict[int, tuple[int, int]]:
    """{entry: (pixels, pixels within areas of it)} of whole numbers (H, W), the most frequent ones."""
    marked = entries.astype(np.int64) << 1 | _in_areas(entries)
    starts = np.ones(entries.shape, bool)
    starts[:, 1:] = marked[:, 1:] != marked[:, :-1]  # of runs, which are far fewer than pixels
    lengths = np.diff(np.append(np.flatnonzero(starts), entries.size))
    found, place = np.unique(marked[starts], return_inverse=True)
    pixels = np.bincount(place.ravel(), weights=lengths, minlength=len(found)).astype(np.int64)
    counts: dict[int, tuple[int, int]] = {}
    for mark, number in zip(found.tolist(), pixels.tolist(), strict=True):
        whole, within = counts.get(mark >> 1, (0, 0))
        counts[mark >> 1] = whole + number, within + number * (mark & 1)
    return dict(sorted(counts.items(), key=lambda item: -item[1][0])[:KEPT])


def _in_areas(entries: np.ndarray) -> np.ndarray:
    """bool (H, W): pixels that are part of four equal ones in a square, as those along blended edges are not."""
    down, right = entries[1:] == entries[:-1], entries[:, 1:] == entries[:, :-1]
    square = down[:, 1:] & down[:, :-1] & right[1:]
    within = np.zeros(entries.shape, bool)
    for rows in (slice(1, None), slice(None, -1)):
        for columns in (slice(1, None), slice(None, -1)):
            within[rows, columns] |= square
    return within


def _palette(indices: np.ndarray, colours: np.ndarray) -> dict[int, Colour]:
    """The colours of the indices (H, W) that occur, from the same picture in colours (H, W, 3) RGB."""
    found, first = np.unique(indices, return_index=True)
    flat = colours.reshape(-1, 3)
    return {int(index): _triple(flat[at]) for index, at in zip(found, first, strict=True)}


def _triple(colour: Iterable[int]) -> Colour:
    red, green, blue = map(int, colour)
    return red, green, blue
