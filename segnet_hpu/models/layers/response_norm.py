"""Local response normalisation across channels (Krizhevsky et al., NIPS 2012, section 3.3)."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("segnet_hpu")
class LocalResponseNormalization(layers.Layer):
    """x / (1 + alpha / size * sum of squares of the `size` channels around each) ** beta, as in Caffe.

    (B, H, W, C) -> the same shape. size: odd; channels beyond the first and last count as 0.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size, self.alpha, self.beta = size, alpha, beta

    def call(self, x: Any) -> Any:
        reach, channels = self.size // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), [(0, 0)] * 3 + [(reach, reach)])
        total = sum(squares[..., i:i + channels] for i in range(self.size))
        return x / ops.power(1 + self.alpha / self.size * total, self.beta)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"size": self.size, "alpha": self.alpha, "beta": self.beta}
