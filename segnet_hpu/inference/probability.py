"""From logits to the probability of a class."""

import numpy as np


def probability_of(chosen, planes):
    """Return the softmax, float32 (y, x), of the plane with the index `chosen` among logits float32 (y, x).

    planes: an iterable, of which one at a time is held in memory.
    """
    total, own = np.float32(-np.inf), None
    for c, plane in enumerate(planes):
        own = plane if c == chosen else own
        total = np.logaddexp(total, plane)
    return np.exp(own - total)
