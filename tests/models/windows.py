"""Pooling with a mask and unpooling, window by window in NumPy."""

import numpy as np


def pool(x):
    """Return (pooled, mask) of (B, H, W, C): the first maximum of a window, row by row, is marked."""
    batch, height, width, channels = x.shape
    pooled = np.empty((batch, -(-height // 2), -(-width // 2), channels), x.dtype)
    mask = np.zeros(x.shape, bool)
    for b, i, j, c in np.ndindex(*pooled.shape):
        window = x[b, 2 * i:2 * i + 2, 2 * j:2 * j + 2, c]
        row, column = np.unravel_index(window.argmax(), window.shape)
        pooled[b, i, j, c] = window[row, column]
        mask[b, 2 * i + row, 2 * j + column, c] = True
    return pooled, mask


def unpool(values, mask):
    """Return the values at the marked places, zeros elsewhere."""
    result = np.zeros(mask.shape, values.dtype)
    for b, y, x, c in np.argwhere(mask):
        result[b, y, x, c] = values[b, y // 2, x // 2, c]
    return result
