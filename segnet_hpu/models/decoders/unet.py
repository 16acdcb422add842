"""keras_segmentation's U-Net decoder (after Ronneberger et al., arXiv 1505.04597)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import double
from segnet_hpu.models.decoders import decoders

if TYPE_CHECKING:
    from keras import KerasTensor


@decoders.register("unet", divisor=16)
def unet(features: "Sequence[KerasTensor]", n_classes: int,
         use_upsampling: Annotated[bool, Option("upsample by repetition; false: by transposed convolution")] = True,
         relu: Annotated[bool, Option("rectify after the decoder's convolutions")] = True,
         corner_grid: bool = False) -> "KerasTensor":
    """Map feature maps f1..f4 to logits (B, H/2, W/2, n_classes), with a skip at every resolution.

    use_upsampling: False for 2x2 transposed convolutions in place of repetition.
    relu: rectify after each convolution; False is keras_segmentation's release 0.3.0, which left it out.
    corner_grid: where the maps lie, see models/encoders.
    """
    x = _conv_bn(features[3], 512, relu, "decoder_1")
    for i, (skip, width) in enumerate(zip(features[2::-1], (256, 128, 64), strict=True), start=1):
        x = double(x, use_upsampling, f"decoder_up{i}", corner_grid)
        x = layers.Concatenate(name=f"decoder_skip{i}")([x, skip])
        x = _conv_bn(x, width, relu, f"decoder_{i + 1}")
    return layers.Conv2D(n_classes, 3, padding="same", name="classifier")(x)


def _conv_bn(x: "KerasTensor", width: int, relu: bool, name: str) -> "KerasTensor":
    activation = "relu" if relu else None
    x = layers.Conv2D(width, 3, padding="same", activation=activation, name=f"{name}_conv")(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
