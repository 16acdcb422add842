"""SegNet and Bayesian SegNet, layer by layer as their authors' Caffe files have them.

SegNet: Badrinarayanan, Kendall & Cipolla, arXiv 1511.00561. Bayesian SegNet: Kendall, Badrinarayanan &
Cipolla, arXiv 1511.02680. Layers carry Caffe's names. Both take any size, odd sides too, and give logits
at the input's size. With `dropout` above 0 half of the units (at the published 0.5) are dropped after the
central encoder and decoder stages.

Neither subtracts a mean: the authors feed raw pixels, and every convolution of an encoder is followed by
batch normalisation, which takes a constant away. Ours are RGB where Caffe's are BGR.
"""

from typing import TYPE_CHECKING, Annotated

from segnet_hpu.components import Option
from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders.normalisation import RAW
from segnet_hpu.models.encoders.vgg16 import BLOCKS
from segnet_hpu.models.networks import networks
from segnet_hpu.models.roles import mark_stages

if TYPE_CHECKING:
    from keras import KerasTensor

FIRST_DROPPED = 3  # the stages from here inwards, of the encoder and of the decoder
BASIC_STAGES, BASIC_WIDTH = 4, 64


Dropout = Annotated[float, Option("rate of the dropped units", minimum=0.0, maximum=0.99)]


@networks.register("segnet_basic", normalisation=RAW, divisor=1, input_height=360, input_width=480)
def segnet_basic(x: "KerasTensor", n_classes: int, dropout: Dropout = 0.0) -> "KerasTensor":
    """Map raw RGB (B, H, W, C), 0..255, to logits (B, H, W, n_classes); no ReLU in the decoder."""
    from segnet_hpu.models.layers import LocalResponseNormalization, MaxPoolingWithMask, Unpooling

    # float32, because the squares of pixels outgrow what bfloat16 tells apart.
    x = LocalResponseNormalization(size=5, alpha=1e-4, beta=0.75, dtype="float32", name="norm")(x)
    masks, features = {}, []
    for stage in range(1, BASIC_STAGES + 1):
        x = layers.ReLU(name=f"relu{stage}")(_conv_bn(x, BASIC_WIDTH, 7, f"conv{stage}"))
        x, masks[stage] = MaxPoolingWithMask(name=f"pool{stage}")(x)
        features.append(x)
        x = _drop(x, dropout, "encdrop", stage)
    mark_stages(features)
    for stage in range(BASIC_STAGES, 0, -1):
        x = Unpooling(name=f"upsample{stage}")([x, masks[stage]])
        x = _conv_bn(x, BASIC_WIDTH, 7, f"conv_decode{stage}")
        x = _drop(x, dropout, "decdrop", stage)
    return _conv(x, n_classes, 1, "conv_classifier")


@networks.register("segnet_vgg16", normalisation=RAW, divisor=1, input_height=360, input_width=480)
def segnet_vgg16(x: "KerasTensor", n_classes: int, dropout: Dropout = 0.0,
                 blocks: tuple[tuple[int, ...], ...] = BLOCKS) -> "KerasTensor":
    """Map raw RGB (B, H, W, C), 0..255, to logits (B, H, W, n_classes): VGG16 with BN, and its mirror image.

    blocks: for each stage the widths of its convolutions; VGG16's unless a smaller network is wanted.
    """
    from segnet_hpu.models.layers import MaxPoolingWithMask, Unpooling

    masks, features = {}, []
    for stage, widths in enumerate(blocks, start=1):
        for i, width in enumerate(widths, start=1):
            x = _conv_bn_relu(x, width, f"{stage}_{i}")
        x, masks[stage] = MaxPoolingWithMask(name=f"pool{stage}")(x)
        features.append(x)
        x = _drop(x, dropout, "encdrop", stage)
    mark_stages(features)
    for stage in range(len(blocks), 0, -1):
        x = Unpooling(name=f"upsample{stage}")([x, masks[stage]])
        widths = blocks[stage - 1]
        for i in range(len(widths), 1, -1):
            x = _conv_bn_relu(x, widths[i - 2], f"{stage}_{i}_D")
        if stage > 1:
            x = _conv_bn_relu(x, blocks[stage - 2][-1], f"{stage}_1_D")
            x = _drop(x, dropout, "decdrop", stage)
    return _conv(x, n_classes, 3, "conv1_1_D")


def _conv_bn_relu(x: "KerasTensor", width: int, name: str) -> "KerasTensor":
    return layers.ReLU(name=f"relu{name}")(_conv_bn(x, width, 3, f"conv{name}"))


def _conv_bn(x: "KerasTensor", width: int, size: int, name: str) -> "KerasTensor":
    return layers.BatchNormalization(name=f"{name}_bn")(_conv(x, width, size, name))


def _conv(x: "KerasTensor", width: int, size: int, name: str) -> "KerasTensor":
    return layers.Conv2D(width, size, padding="same", kernel_initializer="he_normal", name=name)(x)


def _drop(x: "KerasTensor", rate: float, name: str, stage: int) -> "KerasTensor":
    return layers.Dropout(rate, name=f"{name}{stage}")(x) if rate and stage >= FIRST_DROPPED else x
