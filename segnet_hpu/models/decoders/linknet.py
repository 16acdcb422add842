"""LinkNet's decoder (Chaurasia & Culurciello, arXiv 1707.03718)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import conv_bn_relu, double
from segnet_hpu.models.decoders import decoders

if TYPE_CHECKING:
    from keras import KerasTensor


@decoders.register("linknet")
def linknet(features: "Sequence[KerasTensor]", n_classes: int, use_upsampling: Annotated[
        bool, Option("upsample by repetition; false: by transposed convolution")] = True,
        corner_grid: bool = False) -> "KerasTensor":
    """Map feature maps f1..f5 to logits (B, H, W, n_classes); each map is added to what comes from below.

    use_upsampling: False for 2x2 transposed convolutions in place of repetition. corner_grid: where the maps lie, see
    models/encoders.
    """
    x = features[4]
    for i, skip in enumerate(features[3::-1], start=1):
        x = _enlarge(x, skip.shape[-1], use_upsampling, f"decoder_{i}", corner_grid)
        x = layers.Add(name=f"decoder_skip{i}")([x, skip])
    x = _enlarge(x, 32, use_upsampling, "decoder_5", corner_grid)
    return layers.Conv2D(n_classes, 3, padding="same", name="classifier")(x)


def _enlarge(x: "KerasTensor", width: int, use_upsampling: bool, name: str, corner_grid: bool) -> "KerasTensor":
    """Double a map's sides, in a quarter of its channels."""
    quarter = x.shape[-1] // 4
    x = conv_bn_relu(x, quarter, name=f"{name}_reduce")
    x = double(x, use_upsampling, f"{name}_up", corner_grid)
    x = conv_bn_relu(x, quarter, 3, name=f"{name}_middle")
    return conv_bn_relu(x, width, name=f"{name}_expand")
