"""FCN-8s with a wide decoder: it keeps the width of the feature maps until the last layer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.decoders.fcn import Dropout, Sigma, SkipScale, Width, enlarge, fully_connected, initial, scaled

if TYPE_CHECKING:
    from keras import KerasTensor


@decoders.register("fcn_8_wide")
def fcn_wide(features: "Sequence[KerasTensor]", n_classes: int, width: Width = 4096, dropout: Dropout = 0.5,
             skip_scale: SkipScale = (0.001, 0.01), sigma: Sigma = 0.01, corner_grid: bool = False) -> "KerasTensor":
    """Map feature maps f1..f5 to logits (B, H, W, n_classes), adding f4 and f3 as they are, but for a factor.

    f5 becomes as wide as f4 (512 channels for VGG16), is doubled and joined with f4, then doubled to the width
    of f3 (256) and joined with f3; the last transposed convolution leads to the classes.
    width, dropout: of the two layers behind f5. skip_scale: what f3 and f4 are multiplied by.
    sigma: deviation of the truncated normal that the decoder starts from. corner_grid: where the maps lie, see
    models/encoders.
    """
    f3, f4, f5 = features[2:]
    scales = dict(zip((3, 4), skip_scale or (1, 1), strict=True))
    x = fully_connected(f5, width, dropout)
    x = layers.Conv2D(f4.shape[-1], 1, kernel_initializer=initial(sigma, "he_normal"), name="decoder_5")(x)
    for level, skip, kernel in ((4, f4, 4), (3, f3, 8)):
        x = enlarge(x, skip.shape[-1], 2, f"decoder_up{level}", sigma, kernel=kernel, corner_grid=corner_grid)
        x = layers.Add(name=f"decoder_add{level}")([x, scaled(skip, scales[level], level)])
    return enlarge(x, n_classes, 8, "classifier_up", sigma, corner_grid=corner_grid)
