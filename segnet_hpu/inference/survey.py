"""Pictures with what a network says of them, and how right it is, one after the other in bounded memory."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segnet_hpu.constants import VOID
from segnet_hpu.data.file_pairs import IMAGE_FORMATS, files_by_stem, only_one
from segnet_hpu.data.images import read_image
from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.evaluation.confusion_matrix import ConfusionMatrix
from segnet_hpu.progress import progress


@dataclass
class Judged:
    """A picture and its prediction; where there are labels also the truth and what they come to.

    image: uint8 RGB (y, x, 3). prediction: class ids uint8 (y, x). truth: the same, 255 where nothing is
    judged. matrix: the ConfusionMatrix of this picture.
    """

    name: str
    image: np.ndarray
    prediction: np.ndarray
    truth: np.ndarray | None = None
    matrix: ConfusionMatrix | None = None


class Pictures:
    """A folder's images as a source without labels: source[i] is (image, None)."""

    def __init__(self, folder):
        self.paths = sorted(only_one(folder, files_by_stem(folder, IMAGE_FORMATS)).values())

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        return read_image(self.paths[i]), None

    def name(self, i):
        return Path(self.paths[i]).stem


def judged(predictor, source, indices, n_classes, ignore_label=None, what="judge"):
    """Yield a Judged for each of the source's `indices`; the next pictures are read meanwhile.

    predictor: has batch_size, and predict(images) -> class maps of the images' sizes. source: source[i] is
    (image, label or None), source.name(i) a text. ignore_label: an id that is not judged; ids that are no
    class never are. what: the name that progress is shown by.
    """
    def read(i):
        return i, *source[i]

    def run():
        for batch in batched(prefetched(read, indices, ahead=2 * predictor.batch_size), predictor.batch_size):
            predictions = predictor.predict([image for _, image, _ in batch])
            for (i, image, label), prediction in zip(batch, predictions, strict=True):
                yield _judge(source.name(i), image, prediction, label, n_classes, ignore_label)

    return progress(run(), len(indices), what, "image")


def _judge(name, image, prediction, label, n_classes, ignore_label):
    if label is None:
        return Judged(name, image, prediction)
    truth = np.where((label >= n_classes) | (label == ignore_label), np.uint8(VOID), label)
    matrix = ConfusionMatrix(n_classes)
    matrix.update(truth, prediction)
    return Judged(name, image, prediction, truth, matrix)


@dataclass
class Survey:
    """What all pictures of a folder come to.

    predicted: pixels of each predicted class, int64 (n,). matrix: the ConfusionMatrix of all, None without
    labels. ious: the mean IoU of each picture, None where nothing is judged.
    """

    predicted: np.ndarray
    matrix: ConfusionMatrix | None
    ious: list

    @classmethod
    def of(cls, pictures, n_classes):
        """Take the sum over an iterable of Judged."""
        survey = cls(np.zeros(n_classes, np.int64), None, [])
        for one in pictures:
            survey.predicted += np.bincount(one.prediction.ravel(), minlength=n_classes)
            if one.matrix:
                survey.matrix = one.matrix + survey.matrix if survey.matrix else one.matrix
            survey.ious.append(one.matrix.scores()["mean_iou"] if one.matrix else None)
        return survey

    def extremes(self, count):
        """Return the indices of the worst and of the best pictures by mean IoU, at most `count` each.

        The worst first, and the best first; none is in both.
        """
        ranked = sorted((i for i, iou in enumerate(self.ious) if iou is not None), key=lambda i: self.ious[i])
        best = ranked[::-1][:min(count, len(ranked) // 2)]
        return ranked[:min(count, len(ranked) - len(best))], best
