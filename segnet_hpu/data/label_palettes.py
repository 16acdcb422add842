"""The palettes of label files. What is read by its indices must have the same colours for them in all files."""

import threading
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from segnet_hpu.data.colours import Colour
from segnet_hpu.data.containers import is_coloured
from segnet_hpu.data.faults import Fault
from segnet_hpu.data.label_faults import BY_COLOURS, mixed_palettes_fault, palette_fault
from segnet_hpu.data.labels import palette_of, read_label_values

LISTED = 4


class LabelPalettes:
    """Compares the palettes of labels that are read by their values; `fault` is the first contradiction, or None.

    A palette of greys only is read by its greys: optimizers make them from grey files, whose values are the ids.
    Where these are the indices, it contradicts no other. Safe to use from many threads.
    """

    def __init__(self) -> None:
        self.fault: Fault | None = None
        self._colours: dict[int, tuple[Colour, str]] = {}  # of indices, and the first label that has them
        self._first: dict[bool, str] = {}  # label with a palette of greys (True), and with a coloured one (False)
        self._greys: list[str] = []  # labels with a palette of greys that are not the indices
        self._lock = threading.Lock()

    def note(self, path: str) -> None:
        """Compare a sound label file with those before; files without a palette and names of none are passed over."""
        palette = palette_of(path)
        if palette is None:
            return
        values = np.flatnonzero(np.bincount(read_label_values(path).ravel())).tolist()
        with self._lock:
            if is_coloured(palette):
                self._first.setdefault(False, path)
                for index in values:
                    self._note_colour(path, index, palette)
            elif any(palette[value:value + 1] != [(value,) * 3] for value in values):
                self._first.setdefault(True, path)
                self._greys.append(path)
            if self.fault is None and len(self._first) == 2:
                self.fault = mixed_palettes_fault(self._first[True], self._first[False])

    def oddities(self) -> Iterator[str]:
        """Yield what is odd with the palettes, a line each."""
        if self._greys:
            yield (f"{len(self._greys)} labels have a palette of greys that are not the indices, such as "
                   f"{min(self._greys)}: they are read by the greys, as optimizers leave class ids; if the indices "
                   "are the ids, save these as grey PNG")

    def noted(self) -> dict[str, str]:
        """Return the colours rrggbb of the indices that occur, as JSON takes them; of greys none."""
        return {str(index): bytes(colour).hex() for index, (colour, _) in sorted(self._colours.items())}

    def other_than(self, noted: Mapping[str, str]) -> str | None:
        """Return in words for which indices the colours are others than those that a model's training `noted`."""
        other = [f"{index} ({noted[index]} there, {colour} here)" for index, colour in self.noted().items()
                 if noted.get(index, colour) != colour]
        if not other:
            return None
        return (f"the labels have palettes with other colours than those that the model was trained on, for the "
                f"indices {', '.join(other[:LISTED])}. Where these stand for other classes the scores are wrong: "
                f"{BY_COLOURS}")

    def _note_colour(self, path: str, index: int, palette: Sequence[Colour]) -> None:
        if index < len(palette):
            colour, other = self._colours.setdefault(index, (palette[index], path))
            if colour != palette[index] and self.fault is None:
                self.fault = palette_fault(path, other, index, (palette[index], colour))
