"""The decoder that keras_segmentation calls SegNet: linear, without skips or pooling indices."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import double
from segnet_hpu.models.decoders import decoders

if TYPE_CHECKING:
    from keras import KerasTensor


@decoders.register("segnet", divisor=16)
def segnet(features: "Sequence[KerasTensor]", n_classes: int,
           level: Annotated[int, Option("feature map that the decoder starts from; f1 is 0",
                                        minimum=1, maximum=4)] = 3,
           use_upsampling: Annotated[bool, Option("upsample by repetition; false: by transposed convolution")] = True,
           corner_grid: bool = False) -> "KerasTensor":
    """Map feature maps f1..f5 to logits (B, H/2, W/2, n_classes).

    level: which feature map to start from (f1 is 0); it is brought to stride 2 by
    nearest-neighbour upsampling, a 3x3 convolution and batch normalisation at a time.
    use_upsampling: False for 2x2 transposed convolutions in place of repetition. corner_grid: where the maps lie, see
    models/encoders.
    Widths fall 512, 256, then 128 until the last, which has 64.
    """
    x = _conv_bn(features[level], 512, "decoder_1")
    for i in range(level):
        width = 64 if i == level - 1 else 256 if i == 0 else 128
        x = double(x, use_upsampling, f"decoder_up{i + 1}", corner_grid)
        x = _conv_bn(x, width, f"decoder_{i + 2}")
    return layers.Conv2D(n_classes, 3, padding="same", name="classifier")(x)


def _conv_bn(x: "KerasTensor", width: int, name: str) -> "KerasTensor":
    x = layers.Conv2D(width, 3, padding="same", name=f"{name}_conv")(x)
    return layers.BatchNormalization(name=f"{name}_bn")(x)
