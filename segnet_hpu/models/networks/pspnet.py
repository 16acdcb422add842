"""PSPNet on a dilated ResNet (Zhao et al., arXiv 1612.01105), as keras_segmentation has it.

The layers' names are those of the published Caffe network.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from segnet_hpu.lazy import layers
from segnet_hpu.models.blocks import resize
from segnet_hpu.models.encoders.normalisation import CAFFE
from segnet_hpu.models.networks import networks
from segnet_hpu.models.roles import mark, mark_stages

if TYPE_CHECKING:
    from keras import KerasTensor


def pspnet(x: "KerasTensor", n_classes: int, blocks: int) -> "KerasTensor":
    """Map an image (B, H, W, C) to logits (B, H, W, n_classes).

    blocks: of the fourth stage: 6 makes ResNet-50, 23 ResNet-101. The sides are 48 n + 41 pixels, so that
    the map at stride 8 divides into 6 x 6 cells.
    """
    size = x.shape[1:3]
    x = _resnet(x, (3, 4, blocks, 3))
    pooled = [x]
    for bins in (6, 3, 2, 1):
        name = f"conv5_3_pool{bins}"
        window = (x.shape[1] // bins, x.shape[2] // bins)
        p = mark(layers.AveragePooling2D(window, name=name), fraction=bins)(x)
        p = _conv_bn_relu(p, 512, 1, f"{name}_conv")
        pooled.append(resize(p, x.shape[1:3], f"{name}_up"))
    x = layers.Concatenate(name="conv5_3_concat")(pooled)
    x = _conv_bn_relu(x, 512, 3, "conv5_4")
    x = layers.Dropout(0.1, name="conv5_4_dropout")(x)
    x = layers.Conv2D(n_classes, 1, name="conv6")(x)
    return resize(x, size, "conv6_up")


def _resnet(x: "KerasTensor", depths: tuple[int, ...]) -> "KerasTensor":
    """A ResNet whose last two stages keep stride 8 and are dilated by 2 and 4."""
    x = _conv_bn_relu(x, 64, 3, "conv1_1_3x3_s2", strides=2)
    x = _conv_bn_relu(x, 64, 3, "conv1_2_3x3")
    x = _conv_bn_relu(x, 128, 3, "conv1_3_3x3")
    features = [x]
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1_3x3_s2")(x)
    for stage, (depth, strides, rate) in enumerate(zip(depths, (1, 2, 1, 1), (1, 1, 2, 4), strict=True)):
        for i in range(1, depth + 1):
            x = _block(x, 64 << stage, strides if i == 1 else 1, rate, i == 1, f"conv{stage + 2}_{i}")
        features.append(x)
    mark_stages(features)
    return x


def _block(x: "KerasTensor", width: int, strides: int, rate: int, project: bool, name: str) -> "KerasTensor":
    branch = _conv_bn_relu(x, width, 1, f"{name}_1x1_reduce", strides=strides)
    branch = _conv_bn_relu(branch, width, 3, f"{name}_3x3", dilation_rate=rate)
    branch = _conv_bn(branch, 4 * width, 1, f"{name}_1x1_increase")
    if project:
        x = _conv_bn(x, 4 * width, 1, f"{name}_1x1_proj", strides=strides)
    x = layers.Add(name=name)([branch, x])
    return layers.ReLU(name=f"{name}_relu")(x)


def _conv_bn_relu(x: "KerasTensor", width: int, kernel: int, name: str, **options: Any) -> "KerasTensor":
    return layers.ReLU(name=f"{name}_relu")(_conv_bn(x, width, kernel, name, **options))


def _conv_bn(x: "KerasTensor", width: int, kernel: int, name: str, **options: Any) -> "KerasTensor":
    x = layers.Conv2D(width, kernel, padding="same", use_bias=False, name=name, **options)(x)
    return layers.BatchNormalization(momentum=0.95, epsilon=1e-5, name=f"{name}_bn")(x)


for _name, _blocks in (("pspnet_50", 6), ("pspnet_101", 23)):
    networks.register(_name, normalisation=CAFFE, divisor=48, remainder=41, input_height=473,
                      input_width=473)(partial(pspnet, blocks=_blocks))
