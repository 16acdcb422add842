"""Score predictions against labels at their full resolution."""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.errors import warn
from segnet_hpu.evaluation.predictor import Result, SupportsPrediction
from segnet_hpu.evaluation.scorecard import Scorecard, Scorer
from segnet_hpu.progress import Progress
from segnet_hpu.runtime.ranks import ALONE, Ranks


class LabelledSource(Protocol):
    """Pairs of an image uint8 RGB (y, x, 3) and its label, class ids uint8 (y, x)."""

    def __len__(self) -> int: ...

    def __getitem__(self, i: int, /) -> tuple[np.ndarray, np.ndarray]: ...


def evaluate(predictor: SupportsPrediction, source: LabelledSource, n_classes: int,
             ignore_label: int | None = None, limit: int | None = None, quiet: bool = False,
             ranks: Ranks = ALONE, scorers: Sequence[Scorer] = (),
             observe: Callable[[Result, np.ndarray], None] | None = None, overlap: bool = True,
             meet: Callable[[], None] = lambda: None) -> Scorecard:
    """Return the Scorecard of a predictor over a source, one pass, in bounded memory.

    Each of the ranks scores its share; all return the sum.

    predictor: resizes its scores to each label's own size before they are compared. ignore_label: an id left
    out beside 255. limit: score only the first so many samples. quiet: show no progress. scorers: new ones, to
    count beside the confusion matrix; see Scorecard. observe: called for every image of this rank with the
    result of the predictor's `run`, such as logits (h, w, C), and the label at its own size with 255 for void.
    overlap: run the predictor while its last results are scored; else it is run when all of them are. meet: called
    before each batch, equally often on every rank.
    Ids that are no class are left out too, with a warning on stderr. Raises RunError for a network that
    answers NaN or infinity.
    """
    card = Scorecard(n_classes, scorers)
    pixels = np.zeros(VOID + 1, np.int64)
    count = len(source) if limit is None else min(limit, len(source))
    share = range(ranks.rank, count, ranks.size)
    ahead = 2 * predictor.batch_size
    scored_ahead = ahead if overlap else 1

    def score(item: tuple[Result, np.ndarray]) -> None:
        result, label = item
        label = _masked(label, ignore_label)
        pixels[:] += np.bincount(label.ravel(), minlength=VOID + 1)
        probability = partial(predictor.probability, result, label.shape)
        card.update(label, predictor.classes(result, label.shape), probability)
        if observe:
            observe(result, label)

    # One thread scores while the model is at work on the next batch, and others read the one after.
    with Progress("evaluate", len(share), "image", quiet=quiet or not ranks.leads) as progress:
        for _ in prefetched(score, _results(predictor, source, share, ahead, meet), threads=1, ahead=scored_ahead):
            progress.update(1)
    own, most = (math.ceil(len(part) / predictor.batch_size) for part in (share, range(0, count, ranks.size)))
    for _ in range(most - own):
        meet()
    card.add_up(ranks)
    pixels = ranks.sum(pixels)
    if ranks.leads:
        _warn_of_other_ids(pixels, n_classes)
    return card


def _results(predictor: SupportsPrediction, source: LabelledSource, indices: Sequence[int],
             ahead: int, meet: Callable[[], None]) -> Iterator[tuple[Result, np.ndarray]]:
    """Yield (result, label) of the source's `indices`, which are read `ahead`; `meet` before each batch."""
    def read(i: int) -> tuple[np.ndarray, np.ndarray]:
        image, label = source[i]
        return predictor.prepare(image), label

    for batch in batched(prefetched(read, indices, ahead=ahead), predictor.batch_size):
        meet()
        inputs, labels = zip(*batch, strict=True)
        yield from zip(predictor.run(inputs), labels, strict=True)


def _masked(label: np.ndarray, ignore_label: int | None) -> np.ndarray:
    return label if ignore_label in (None, VOID) else np.where(label == ignore_label, np.uint8(VOID), label)


def _warn_of_other_ids(pixels: np.ndarray, n_classes: int) -> None:
    """Warn of ids that are neither a class nor void; pixels: int64 (256,), by id."""
    outside = n_classes + np.flatnonzero(pixels[n_classes:VOID])
    if outside.size:
        warn(f"the labels hold ids outside 0..{n_classes - 1}, which were left out: "
             f"{', '.join(map(str, outside))} ({pixels[outside].sum()} pixels); verify_dataset names the files")
