"""What a network makes of each picture, and how right it is, one after the other in bounded memory."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.images import shown
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.evaluation.predictor import SupportsPrediction
from segnet_hpu.progress import progress


@dataclass
class PictureResult:
    """A picture and its prediction; where there is a label also the truth and how well they agree.

    image: uint8 RGB (y, x, 3). prediction: class ids uint8 (y, x). truth: the same, 255 where nothing is
    scored. matrix: the ConfusionMatrix of this picture.
    """

    name: str
    image: np.ndarray
    prediction: np.ndarray
    truth: np.ndarray | None = None
    matrix: ConfusionMatrix | None = None

    @classmethod
    def of(cls, name: str, image: np.ndarray, prediction: np.ndarray, label: np.ndarray | None, n_classes: int,
           ignore_label: int | None) -> "PictureResult":
        """Score a prediction against a label, uint8 (y, x), if there is one."""
        if label is None:
            return cls(name, image, prediction)
        truth = np.where((label >= n_classes) | (label == ignore_label), np.uint8(VOID), label)
        matrix = ConfusionMatrix(n_classes)
        matrix.update(truth, prediction)
        return cls(name, image, prediction, truth, matrix)


class NamedPictures(Protocol):
    """Images uint8 RGB (y, x, 3), each with a name, and with a label uint8 (y, x) or None."""

    def __getitem__(self, i: int, /) -> tuple[np.ndarray, np.ndarray | None]: ...

    def name(self, i: int, /) -> str: ...


def picture_results(predictor: SupportsPrediction, source: NamedPictures, indices: Sequence[int], n_classes: int,
                    ignore_label: int | None = None, what: str = "evaluate") -> Iterator[PictureResult]:
    """Yield a PictureResult for each of the source's `indices`; the next pictures are read meanwhile.

    ignore_label: an id that is not scored; ids that are no class never are. what: the name that progress is
    shown by.
    """
    def read(i: int) -> tuple[int, np.ndarray, np.ndarray | None]:
        return i, *source[i]

    def run() -> Iterator[PictureResult]:
        for batch in batched(prefetched(read, indices, ahead=2 * predictor.batch_size), predictor.batch_size):
            predictions = predictor.predict([image for _, image, _ in batch])
            for (i, image, label), prediction in zip(batch, predictions, strict=True):
                yield PictureResult.of(source.name(i), shown(image), prediction, label, n_classes, ignore_label)

    return progress(run(), len(indices), what, "image")


@dataclass
class Summary:
    """All pictures of a folder together.

    predicted: pixels of each predicted class, int64 (n,). matrix: the ConfusionMatrix of all, None without
    labels. ious: the mean IoU of each picture, None where nothing is scored.
    """

    predicted: np.ndarray
    matrix: ConfusionMatrix | None
    ious: list[float | None]

    @classmethod
    def of(cls, results: Iterable[PictureResult], n_classes: int) -> "Summary":
        """Take the sum over all results."""
        summary = cls(np.zeros(n_classes, np.int64), None, [])
        for one in results:
            summary.predicted += np.bincount(one.prediction.ravel(), minlength=n_classes)
            if one.matrix:
                summary.matrix = one.matrix + summary.matrix if summary.matrix else one.matrix
            summary.ious.append(one.matrix.scores()["mean_iou"] if one.matrix else None)
        return summary

    def extremes(self, count: int) -> tuple[list[int], list[int]]:
        """Return the indices of the worst and of the best pictures by mean IoU, at most `count` each.

        The worst first, and the best first; none is in both.
        """
        known = [(iou, i) for i, iou in enumerate(self.ious) if iou is not None]
        ranked = [i for _, i in sorted(known)]
        best = ranked[::-1][:min(count, len(ranked) // 2)]
        return ranked[:min(count, len(ranked) - len(best))], best
