"""What the labels of a set may hold. Every label that is read passes here; at the end the set as a whole."""

import os
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.faults import Fault, refuse
from segnet_hpu.data.label_faults import binary_fault, outside_fault
from segnet_hpu.data.label_palettes import LabelPalettes
from segnet_hpu.data.labels import grey_bits
from segnet_hpu.errors import warn

LISTED = 4


class LabelCheck:
    """Refuses labels one by one, notes what the others hold, and tells what is wrong or odd with all of them.

    n_classes: allowed ids are 0..n_classes-1; None, where that is not known, allows all. void: further ids that are
    allowed. coded: the ids come from values or colours by a rule of the data set, so that 255 is void for certain.
    by_values: they come from the files' values, palettes' indices among them. palettes: of labels that were checked
    before and must agree with these. refusing: False lets wrong labels pass and warns of the first one alone.
    Safe to use from many threads.
    """

    def __init__(self, n_classes: int | None, void: Collection[int], coded: bool = False, by_values: bool = True,
                 palettes: LabelPalettes | None = None, refusing: bool = True) -> None:
        self.refusing, self._warned = refusing, False
        self.n_classes, self.void, self.coded = n_classes, sorted(void), coded
        self.images = np.zeros(VOID + 1, np.int64)  # how many labels hold each id
        self.count = 0
        self.lone: Counter[int] = Counter()  # labels that hold one class alone, by class
        self.depths: dict[int, list[str]] = defaultdict(list)  # names of the grey PNG labels by their bits a pixel
        self.folders: set[str] = set()
        self.palettes = (palettes or LabelPalettes()) if by_values and refusing else None
        self._lock = threading.Lock()

    def check(self, path: str, ids: np.ndarray) -> None:
        """Note a label, whole numbers from 0 on, of the file `path`; raises BadFile, a UsageError, if it is wrong."""
        counts = np.bincount(ids.ravel())
        present = np.flatnonzero(counts)
        fault = self._fault(path, present, counts)
        if fault and self.refusing:
            raise fault.error
        if fault:
            self._warn_once(fault)
            return
        if present.size and present[-1] <= VOID:  # others are refused for their depth
            self._note(path, present)

    def faults(self) -> list[Fault]:
        """Return what is wrong with the labels together."""
        # With 255 ignored no single mask of 0 and 255 is suspicious, but a whole set of them is.
        if self.n_classes != 1 and not self.coded and set(np.flatnonzero(self.images)) == {0, VOID}:
            return [binary_fault(self._place(), "holds only masks of 0 and 255 (ignored)")]
        return [self.palettes.fault] if self.palettes and self.palettes.fault else []

    def refuse_faulty_set(self) -> None:
        """Raise UsageError for what is wrong with the labels together."""
        refuse(self.faults())

    def finish(self, class_names: Sequence[str] | None = None) -> None:
        """Raise as `refuse_faulty_set`, and warn of what is odd with the labels together."""
        self.refuse_faulty_set()
        for line in self.oddities(class_names):
            warn(line)

    def oddities(self, class_names: Sequence[str] | None = None) -> Iterator[str]:
        """Yield what is odd with the labels together, a line each."""
        place = self._place()
        yield from self.palettes.oddities() if self.palettes else ()
        if len(self.depths) > 1:
            kinds = "; ".join(f"{len(paths)} of {bits} bit{'s' if bits > 1 else ''}: {_listed(paths)}"
                              for bits, paths in sorted(self.depths.items()))
            yield f"{place} holds labels of several bit depths, {kinds}. Values are read as they are stored"
        for one, count in self.lone.items():
            if count == self.count and self.n_classes != 1:
                yield (f"all {count} labels in {place} hold class {self._name(one, class_names)} alone; a network "
                       "learns nothing else from them")
                return
        absent = np.flatnonzero(self.images[:self.n_classes or 0] == 0)
        if absent.size and self.count:
            yield (f"{absent.size} of {self.n_classes} classes occur{'s' if absent.size == 1 else ''} in none of the "
                   f"{self.count} labels in {place}: "
                   f"{_listed([self._name(i, class_names) for i in absent.tolist()], 2 * LISTED)}")

    def _fault(self, path: str, present: np.ndarray, counts: np.ndarray) -> Fault | None:
        outside = present[(present >= (self.n_classes or VOID + 1)) & ~np.isin(present, self.void)]
        # A set that has void pixels may have 255 for them as well; one that has none has hardly meant 255 as void.
        if VOID in present and VOID not in self.void and set(present.tolist()) <= {0, VOID}:
            return binary_fault(path, f"is a mask of 0 and 255 ({counts[VOID]} pixels)")
        if outside.size and self.n_classes is not None:
            return outside_fault(path, outside, counts, self.n_classes)
        return None

    def _note(self, path: str, present: np.ndarray) -> None:
        bits = grey_bits(path)
        classes = present[~np.isin(present, self.void)]
        with self._lock:
            self.count += 1
            self.images[present] += 1
            self.folders.add(os.path.dirname(path))
            if classes.size == 1:
                self.lone[int(classes[0])] += 1
            if bits:
                self.depths[bits].append(os.path.basename(path))
        if self.palettes:
            self.palettes.note(path)

    def _warn_once(self, fault: Fault) -> None:
        with self._lock:
            warned, self._warned = self._warned, True
        if not warned:
            warn(f"{fault.error}. Pixels of no class are not learnt from; verify_dataset names all such files")

    def _place(self) -> str:
        return os.path.commonpath(self.folders) if self.folders else "the set"

    @staticmethod
    def _name(i: int, class_names: Sequence[str] | None) -> str:
        return f"{i} ({class_names[i]})" if class_names and i < len(class_names) else str(i)


def _listed(items: Iterable[object], at_most: int = LISTED) -> str:
    texts = sorted(map(str, items)) if at_most == LISTED else list(map(str, items))
    return ", ".join(texts[:at_most]) + (f" and {len(texts) - at_most} more" if len(texts) > at_most else "")
