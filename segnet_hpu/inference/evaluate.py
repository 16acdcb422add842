"""Score a model against labels at their full resolution."""

import numpy as np

from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.inference.predictor import Predictor, classes_at
from segnet_hpu.objectives.metrics import ConfusionMatrix
from segnet_hpu.progress import Progress


def evaluate(model, source, n_classes, ignore_label=None, batch_size=2, limit=None, quiet=False):
    """Return the ConfusionMatrix of a model over a source, one pass, in bounded memory.

    Logits are resized (bilinear) to each label's own size before the argmax.
    ignore_label: an id left out beside 255. limit: score only the first so many samples.
    """
    predictor = Predictor(model, batch_size)
    matrix = ConfusionMatrix(n_classes)
    count = len(source) if limit is None else min(limit, len(source))

    def read(i):
        image, label = source[i]
        return predictor.resize(image), label

    def run():
        for batch in batched(prefetched(read, range(count), ahead=2 * batch_size), batch_size):
            inputs, labels = zip(*batch, strict=True)
            yield from zip(predictor.logits(inputs), labels, strict=True)

    def score(pair):
        logits, label = pair
        matrix.update(_masked(label, ignore_label), classes_at(logits, label.shape))

    # One thread scores while the model is at work on the next batch, and others read the one after.
    with Progress("evaluate", count, "image", quiet=quiet) as progress:
        for _ in prefetched(score, run(), threads=1, ahead=2 * batch_size):
            progress.update(1)
    return matrix


def _masked(label, ignore_label):
    return label if ignore_label in (None, 255) else np.where(label == ignore_label, np.uint8(255), label)
