"""Score a model against labels at their full resolution."""

from functools import partial

import numpy as np

from segnet_hpu.data.prefetch import batched, prefetched
from segnet_hpu.errors import warn
from segnet_hpu.evaluation.scorecard import Scorecard
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.progress import Progress
from segnet_hpu.runtime.ranks import ALONE


def evaluate(model, source, n_classes, ignore_label=None, batch_size=2, limit=None, quiet=False, ranks=ALONE,
             scorers=(), observe=None, predictor=None):
    """Return the Scorecard of a model over a source, one pass, in bounded memory.

    Each of the ranks scores its share; all return the sum.

    Logits are resized (bilinear) to each label's own size before argmax and softmax.
    ignore_label: an id left out beside 255. limit: score only the first so many samples. quiet: show
    no progress. scorers: new ones, to count beside the confusion matrix; see Scorecard. observe: a function
    (logits (h, w, C), label at its own size with 255 for void), called for every image of this rank.
    predictor: how the model predicts, with a batch size of its own; in place of plainly.
    Ids that are no class are left out too, with a warning on stderr.
    """
    predictor = predictor or Predictor(model, batch_size)
    batch_size = predictor.batch_size
    card = Scorecard(n_classes, scorers)
    seen = np.zeros(256, np.int64)
    count = len(source) if limit is None else min(limit, len(source))
    share = range(ranks.rank, count, ranks.size)

    def read(i):
        image, label = source[i]
        return predictor.prepare(image), label

    def run():
        for batch in batched(prefetched(read, share, ahead=2 * batch_size), batch_size):
            inputs, labels = zip(*batch, strict=True)
            yield from zip(predictor.run(inputs), labels, strict=True)

    def score(pair):
        result, label = pair
        label = _masked(label, ignore_label)
        seen[:] += np.bincount(label.ravel(), minlength=256)
        probability = partial(predictor.probability, result, label.shape)
        card.update(label, predictor.classes(result, label.shape), probability)
        if observe:
            observe(result, label)

    # One thread scores while the model is at work on the next batch, and others read the one after.
    with Progress("evaluate", len(share), "image", quiet=quiet or not ranks.leads) as progress:
        for _ in prefetched(score, run(), threads=1, ahead=2 * batch_size):
            progress.update(1)
    card.add_up(ranks)
    seen = ranks.sum(seen)
    outside = n_classes + np.flatnonzero(seen[n_classes:255])
    if outside.size and ranks.leads:
        warn(f"the labels hold ids outside 0..{n_classes - 1}, which were left out: "
             f"{', '.join(map(str, outside))} ({seen[outside].sum()} pixels); verify_dataset names the files")
    return card


def _masked(label, ignore_label):
    return label if ignore_label in (None, 255) else np.where(label == ignore_label, np.uint8(255), label)
