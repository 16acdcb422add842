"""Score a model against labels at their full resolution."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

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
    indices = range(len(source) if limit is None else min(limit, len(source)))
    batches = [indices[i:i + batch_size] for i in indices[::batch_size]]

    def read(batch):
        pairs = [source[i] for i in batch]
        return [predictor.resize(image) for image, _ in pairs], [label for _, label in pairs]

    def score(logits, labels):
        for one, label in zip(logits, labels, strict=True):
            matrix.update(masked(label, ignore_label), classes_at(one, label.shape))

    # While the model runs, one thread reads the next batch and another scores the last one.
    with (ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as scorer,
          Progress("evaluate", len(indices), "image", quiet=quiet) as progress):
        ahead = reader.submit(read, batches[0]) if batches else None
        scored = None
        for i in range(len(batches)):
            inputs, labels = ahead.result()
            if i + 1 < len(batches):
                ahead = reader.submit(read, batches[i + 1])
            logits = predictor.logits(inputs)
            if scored:
                scored.result()
            scored = scorer.submit(score, logits, labels)
            progress.update(len(labels))
        if scored:
            scored.result()
    return matrix


def masked(label, ignore_label):
    """The label with `ignore_label` turned into 255."""
    return label if ignore_label in (None, 255) else np.where(label == ignore_label, np.uint8(255), label)
