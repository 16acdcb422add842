"""ENet (Paszke et al., arXiv 1606.02147), layer by layer as its Caffe version has it.

Where the paper pads the skipped path of a downsampling bottleneck with channels of zeros, this one has a 1x1
convolution. Layers carry Caffe's names. It reads raw pixels, without a mean taken off.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from segnet_hpu.lazy import keras, layers, ops
from segnet_hpu.models.encoders.normalisation import RAW
from segnet_hpu.models.networks import networks
from segnet_hpu.models.roles import mark_stages

if TYPE_CHECKING:
    from keras import KerasTensor

# The middle convolution of bottlenecks 2_1 to 2_8 and 3_1 to 3_8: its dilation, or a 5x1 and a 1x5 one.
CONTEXT: tuple[int | str, ...] = (1, 2, "asymmetric", 4, 1, 8, "asymmetric", 16)


@networks.register("enet", normalisation=RAW, divisor=8, input_height=360, input_width=480)
def enet(x: "KerasTensor", n_classes: int) -> "KerasTensor":
    """Map raw RGB (B, H, W, C), 0..255, to logits (B, H, W, n_classes); sides are multiples of 8."""
    reduced = _conv(layers.ZeroPadding2D(1, name="pad0_1")(x), 13, 3, "0_1", strides=2, use_bias=True)
    # Blue first, as in Caffe: an unpooling far behind takes its places from these channels, in this order.
    colours = ops.split(layers.MaxPooling2D(2, name="pool0_1")(x), x.shape[-1], axis=-1)
    x = layers.Concatenate(name="concat0_1")([reduced, *reversed(colours)])
    x = _prelu(_norm(x, "0_1"), "0_1")
    features = [x]
    x, first = _down(x, 64, "1_0", dropout=0.01)
    for i in range(1, 5):
        x = _bottleneck(x, f"1_{i}", dropout=0.01)
    features.append(x)
    x, second = _down(x, 128, "2_0")
    for stage in (2, 3):
        for i, kind in enumerate(CONTEXT, start=1):
            x = _bottleneck(x, f"{stage}_{i}", kind)
        features.append(x)
    mark_stages(features)
    x = _up(x, second, 64, "4_0")
    x = _bottleneck(x, "4_1", activation=_relu)
    x = _bottleneck(x, "4_2", activation=_relu)
    x = _up(x, first, 16, "5_0")
    x = _bottleneck(x, "5_1", activation=_relu)
    return layers.Conv2DTranspose(n_classes, 2, strides=2, kernel_initializer="he_normal", name="deconv6_0_0")(x)


def _prelu(x: "KerasTensor", name: str) -> "KerasTensor":
    quarter = keras.initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=quarter, shared_axes=(1, 2), name=f"prelu{name}")(x)


def _relu(x: "KerasTensor", name: str) -> "KerasTensor":
    return layers.ReLU(name=f"relu{name}")(x)


def _norm(x: "KerasTensor", name: str) -> "KerasTensor":
    return layers.BatchNormalization(name=f"bn{name}")(x)


def _conv(x: "KerasTensor", width: int, size: int | tuple[int, int], name: str, use_bias: bool = False,
          **kwargs: Any) -> "KerasTensor":
    return layers.Conv2D(width, size, use_bias=use_bias, kernel_initializer="he_normal", name=f"conv{name}",
                         **kwargs)(x)


def _bottleneck(x: "KerasTensor", name: str, kind: int | str = 1, dropout: float = 0.1,
                activation: Callable[..., Any] = _prelu) -> "KerasTensor":
    """A residual block of x's width: 1x1 down to a quarter, the middle one, 1x1 up again."""
    narrow = x.shape[-1] // 4
    y = activation(_norm(_conv(x, narrow, 1, f"{name}_0"), f"{name}_0"), f"{name}_0")
    y = activation(_norm(_middle(y, narrow, kind, f"{name}_1"), f"{name}_1"), f"{name}_1")
    return _join(x, _expand(y, x.shape[-1], name, dropout), name, activation)


def _middle(x: "KerasTensor", width: int, kind: int | str, name: str) -> "KerasTensor":
    if kind != "asymmetric":
        return _conv(x, width, 3, name, padding="same", dilation_rate=kind, use_bias=True)
    # Caffe pads both by 1 on every side: what the first lacks in height the second brings back.
    x = _conv(layers.ZeroPadding2D(1, name=f"pad{name}_a")(x), width, (5, 1), f"{name}_a")
    return _conv(layers.ZeroPadding2D(1, name=f"pad{name}")(x), width, (1, 5), name, use_bias=True)


def _down(x: "KerasTensor", width: int, name: str, dropout: float = 0.1) -> "tuple[KerasTensor, KerasTensor]":
    """Halve x; return it with `width` channels, and the mask of its pooled skip path."""
    from segnet_hpu.models.layers import MaxPoolingWithMask

    narrow = width // 4
    y = _prelu(_norm(_conv(x, narrow, 2, f"{name}_0", strides=2), f"{name}_0"), f"{name}_0")
    y = _prelu(_norm(_middle(y, narrow, 1, f"{name}_1"), f"{name}_1"), f"{name}_1")
    skip, mask = MaxPoolingWithMask(name=f"pool{name}_4")(x)
    skip = _norm(_conv(skip, width, 1, f"{name}_4"), f"{name}_4")
    return _join(skip, _expand(y, width, name, dropout), name, _prelu), mask


def _up(x: "KerasTensor", mask: "KerasTensor", width: int, name: str) -> "KerasTensor":
    """Double x to `width` channels; its skip path is unpooled to where the mask's maxima were."""
    from segnet_hpu.models.layers import Unpooling

    narrow = width // 4
    y = _relu(_norm(_conv(x, narrow, 1, f"{name}_0"), f"{name}_0"), f"{name}_0")
    y = layers.Conv2DTranspose(narrow, 2, strides=2, kernel_initializer="he_normal", name=f"deconv{name}_1")(y)
    y = _relu(_norm(y, f"{name}_1"), f"{name}_1")
    skip = _norm(_conv(x, width, 1, f"{name}_4"), f"{name}_4")
    skip = Unpooling(name=f"upsample{name}_4")([skip, mask])
    return _join(skip, _expand(y, width, name, 0.1), name, _relu)


def _expand(y: "KerasTensor", width: int, name: str, dropout: float) -> "KerasTensor":
    y = _norm(_conv(y, width, 1, f"{name}_2"), f"{name}_2")
    # Whole maps are dropped. Not SpatialDropout2D, which forgets a mixed precision in its file.
    return layers.Dropout(dropout, noise_shape=(None, 1, 1, y.shape[-1]), name=f"drop{name}_3")(y)


def _join(skip: "KerasTensor", y: "KerasTensor", name: str, activation: Callable[..., Any]) -> "KerasTensor":
    return activation(layers.Add(name=f"eltwise{name}_4")([skip, y]), f"{name}_4")
