"""keras_segmentation's pyramid pooling on any encoder (after Zhao et al., arXiv 1612.01105)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import conv_bn_relu, enlarge
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.roles import mark

if TYPE_CHECKING:
    from keras import KerasTensor


@decoders.register("pspnet", divisor=192, input_height=384, input_width=576)
def pspnet(features: "Sequence[KerasTensor]", n_classes: int, corner_grid: bool = False) -> "KerasTensor":
    """Map f5, at stride 32, to logits (B, H/4, W/4, n_classes), enlarged bilinearly by 8.

    Both sides of f5 must be multiples of 6, the finest of the pooled grids 1, 2, 3 and 6. corner_grid: where the map
    lies, see models/encoders.
    """
    x = features[4]
    pooled = [x]
    for bins in (1, 2, 3, 6):
        window = (x.shape[1] // bins, x.shape[2] // bins)
        p = mark(layers.AveragePooling2D(window, name=f"pyramid{bins}_pool"), fraction=bins)(x)
        p = conv_bn_relu(p, 512, name=f"pyramid{bins}")
        up = layers.UpSampling2D(window, interpolation="bilinear", name=f"pyramid{bins}_up")
        pooled.append(mark(up, fraction=bins)(p))
    x = layers.Concatenate(name="pyramid")(pooled)
    x = conv_bn_relu(x, 512, name="decoder")
    x = layers.Conv2D(n_classes, 3, padding="same", name="classifier")(x)
    if corner_grid:
        return enlarge(x, (8 * x.shape[1], 8 * x.shape[2]), 8, "classifier_up", corner_grid)
    return layers.UpSampling2D(8, interpolation="bilinear", name="classifier_up")(x)
