"""Max pooling that remembers where its maxima were, and the unpooling that puts values back there.

As in SegNet (arXiv 1511.00561), but without an operation that yields or takes indices: comparisons,
products and concatenations run on every device and backend. Windows are 2x2; a side that is odd gets
a last window of half the size (Caffe's ceiling), so 45 pools to 23 and unpools to 45.
"""

from typing import Any

import keras
from keras import layers, ops

Tensor = Any  # of the backend in force, or symbolic


@keras.saving.register_keras_serializable("segnet_hpu")
class MaxPoolingWithMask(layers.Layer):
    """Pool (B, H, W, C) to (B, ceil(H/2), ceil(W/2), C), and mark each maximum in a mask.

    mask: bool (B, H, W, C), True once in a window: at its maximum, the first in reading order of equal ones.
    Which of equal ones takes the gradient is the backend's choice; on TensorFlow it is the first too.
    """

    def call(self, x: Tensor) -> tuple[Tensor, Tensor]:
        # Keras on JAX needs to be told the strides.
        return ops.max_pool(x, 2, strides=2, padding="same"), _mask(x)


@keras.saving.register_keras_serializable("segnet_hpu")
class Unpooling(layers.Layer):
    """Put pooled values (B, h, w, C) where a MaxPoolingWithMask's mask (B, H, W, C) is True, 0 elsewhere.

    Takes [values, mask], the values finite; returns (B, H, W, C) in the values' dtype.
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        x, mask = inputs
        x = _stack_rows(x, x)
        x = _cropped(_stack_columns(x, x), mask.shape[1:3])
        # On CPUs a product is several times quicker than a selection.
        return x * ops.cast(mask, x.dtype)


def _mask(x: Tensor) -> Tensor:
    left, right = _columns(_padded(x))
    # Neighbours in a row first, then those in a column; a strict comparison prefers the first.
    from_right = right > left
    upper, lower = _rows(ops.maximum(left, right))
    from_lower = lower > upper
    in_row = _stack_rows(~from_lower, from_lower)
    mask = _stack_columns(in_row & ~from_right, in_row & from_right)
    return _cropped(mask, x.shape[1:3])


def _padded(x: Tensor) -> Tensor:
    """Bring both sides to even numbers by their last values again, which the first ones outdo in a tie."""
    _, height, width, _ = x.shape
    if width % 2:
        x = ops.concatenate([x, x[:, :, -1:]], axis=2)
    return ops.concatenate([x, x[:, -1:]], axis=1) if height % 2 else x


def _cropped(x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.shape[1:3] == size:
        return x
    if isinstance(x, keras.KerasTensor):  # of a plain twin, which knows no batch size
        return x[:, :size[0], :size[1]]
    batch, *_, channels = ops.shape(x)
    # Its gradient is quicker on TensorFlow than that of the former.
    return ops.slice(x, (0, 0, 0, 0), (batch, *size, channels))


def _columns(x: Tensor) -> list[Tensor]:
    """Return the even and the odd columns."""
    _, height, width, channels = x.shape
    return ops.split(ops.reshape(x, (-1, height, width // 2, 2 * channels)), 2, axis=3)


def _rows(x: Tensor) -> list[Tensor]:
    """Return the even and the odd rows."""
    _, height, width, channels = x.shape
    return ops.split(ops.reshape(x, (-1, height // 2, 2 * width, channels)), 2, axis=2)


def _stack_columns(even: Tensor, odd: Tensor) -> Tensor:
    _, height, width, channels = even.shape
    return ops.reshape(ops.concatenate([even, odd], axis=3), (-1, height, 2 * width, channels))


def _stack_rows(even: Tensor, odd: Tensor) -> Tensor:
    _, height, width, channels = even.shape
    return ops.reshape(ops.concatenate([even, odd], axis=2), (-1, 2 * height, width, channels))
