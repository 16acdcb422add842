"""DeepLabv3+ (Chen et al., arXiv 1802.02611)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.errors import UsageError
from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import conv_bn_relu, enlarge
from segnet_hpu.models.decoders import decoders
from segnet_hpu.models.roles import mark

if TYPE_CHECKING:
    from keras import KerasTensor

RATES = {16: (6, 12, 18), 8: (12, 24, 36)}


@decoders.register("deeplabv3plus", divisor=8, one_more=True)
def deeplabv3plus(features: "Sequence[KerasTensor]", n_classes: int,
                  output_stride: Annotated[int, Option("of the dilated encoder", choices=(8, 16))] = 16,
                  separable: Annotated[bool, Option("3x3 convolutions in two steps, depthwise and 1x1")] = False,
                  corner_grid: bool = False) -> "KerasTensor":
    """Map f2, at stride 4, and f5, at the output stride, to logits (B, H, W, n_classes).

    output_stride: 16 or 8, of the dilated encoder; it sets the rates of the spatial pyramid.
    separable: 3x3 convolutions in two steps, depthwise and 1x1. corner_grid: where the maps lie, see
    models/encoders; sides of 8n + 1 pixels, which such maps cover evenly, are then taken too. Raises UsageError for
    another output_stride.
    """
    if output_stride not in RATES:
        raise UsageError(f"output_stride is {output_stride}; deeplabv3plus takes 8 or 16")
    half, low, deep = features[0], features[1], features[4]
    x = _pyramid(deep, RATES[output_stride], separable)
    x = enlarge(x, low.shape[1:3], output_stride // 4, "decoder_up", corner_grid)
    x = layers.Concatenate(name="decoder_skip")([x, conv_bn_relu(low, 48, name="decoder_low")])
    for i in (1, 2):
        x = conv_bn_relu(x, 256, 3, name=f"decoder_{i}", separable=separable)
    x = layers.Conv2D(n_classes, 1, name="classifier")(x)
    # The half of an odd side is rounded up.
    return enlarge(x, tuple(2 * side - side % 2 for side in half.shape[1:3]), 4, "classifier_up", corner_grid)


def _pyramid(x: "KerasTensor", rates: tuple[int, ...], separable: bool) -> "KerasTensor":
    """Atrous spatial pyramid pooling with image-level features: 256 channels each, joined into 256."""
    branches = [conv_bn_relu(x, 256, name="aspp_1x1")]
    branches += [conv_bn_relu(x, 256, 3, name=f"aspp_rate{rate}", separable=separable, dilation_rate=rate)
                 for rate in rates]
    whole = layers.GlobalAveragePooling2D(keepdims=True, name="aspp_image_pool")(x)
    whole = conv_bn_relu(whole, 256, name="aspp_image")
    up = layers.UpSampling2D(x.shape[1:3], interpolation="bilinear", name="aspp_image_up")
    branches.append(mark(up, fraction=1)(whole))
    x = conv_bn_relu(layers.Concatenate(name="aspp")(branches), 256, name="aspp_project")
    return layers.Dropout(0.1, name="aspp_dropout")(x)
