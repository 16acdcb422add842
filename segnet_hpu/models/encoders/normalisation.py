"""How published networks want their input: raw RGB 0..255 is normalised as `x * scale + offset`, per channel."""

from typing import NamedTuple

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # over ImageNet, as in PyTorch


class Normalisation(NamedTuple):
    """offset: of R, G and B. scale: of each, or of all."""

    offset: tuple[float, ...]
    scale: float | tuple[float, ...] = 1.0


RAW = Normalisation((0.0, 0.0, 0.0))
# Caffe's ImageNet networks: means subtracted, here in RGB order.
CAFFE = Normalisation((-123.68, -116.779, -103.939))
# -1..1, as the networks trained in TensorFlow.
TENSORFLOW = Normalisation((-1.0, -1.0, -1.0), 1 / 127.5)
# Zero mean and unit variance.
TORCH = Normalisation(tuple(-m / d for m, d in zip(_MEAN, _DEVIATION, strict=True)),
                      tuple(1 / (255 * d) for d in _DEVIATION))
