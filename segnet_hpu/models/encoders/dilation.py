"""Dilation in place of strides, so that an encoder keeps its weights and a finer map (arXiv 1606.00915)."""


def step(stride: int, output_stride: int) -> tuple[int, int]:
    """Return (strides, dilation rate) of layers that work at `stride` and, for the strides, would double it."""
    return (2, 1) if stride < output_stride else (1, stride // output_stride)
