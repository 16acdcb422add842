"""From logits to the probability of a class."""

import numpy as np


def probability_of(chosen, planes):
    """Return the softmax, float32 (y, x), of the plane with the index `chosen` among logits float32 (y, x).

    planes: an iterable, of which one at a time is held in memory.
    """
    highest, total, own = np.float32(-np.inf), np.float32(0), None
    for c, plane in enumerate(planes):
        own = plane if c == chosen else own
        before, highest = highest, np.maximum(highest, plane)
        # The sum is relative to the highest logit so far, so that no exponential overflows.
        total = total * np.exp(before - highest) + np.exp(plane - highest)
    return np.exp(own - highest) / total
