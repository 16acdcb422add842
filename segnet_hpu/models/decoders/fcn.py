"""Fully convolutional networks FCN-8s, -16s and -32s (Long et al., arXiv 1411.4038)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from segnet_hpu.components import Option
from segnet_hpu.lazy import keras, layers
from segnet_hpu.models.blocks import half_back
from segnet_hpu.models.decoders import decoders

if TYPE_CHECKING:
    from keras import KerasTensor

AT_ONCE = (1e-4, 1e-2)


def parse_skip_scale(value: Any) -> tuple[float, ...] | None:
    """none, at_once (0.0001:0.01) or two numbers FACTOR_OF_POOL3:FACTOR_OF_POOL4"""
    if value in ("none", None):
        return None
    if value == "at_once":
        return AT_ONCE
    numbers = tuple(float(number) for number in value.split(":"))
    if len(numbers) != 2:
        raise ValueError("two numbers, joined by a colon")
    return numbers


Width = Annotated[int, Option("channels of the two layers behind f5", minimum=1)]
Dropout = Annotated[float, Option("rate of the dropped units", minimum=0.0, maximum=0.99)]
SkipScale = Annotated[tuple[float, ...] | None, Option("factors of the skipped feature maps", parse=parse_skip_scale)]
Sigma = Annotated[float | None, Option("deviation of the head's first weights", minimum=0.0)]


@decoders.register("fcn_8", defaults={"stride": 8})
@decoders.register("fcn_16", defaults={"stride": 16})
@decoders.register("fcn_32", defaults={"stride": 32})
def fcn(features: "Sequence[KerasTensor]", n_classes: int,
        stride: Annotated[int, Option("of the scores before the last enlargement", choices=(8, 16, 32))],
        aligned: Annotated[bool, Option("logits lie over the image; false: as keras_segmentation's")] = True,
        width: Width = 4096, dropout: Dropout = 0.5, skip_scale: SkipScale = None,
        sigma: Sigma = None, corner_grid: bool = False) -> "KerasTensor":
    """Map feature maps f1..f5 to logits: scores of f5, doubled and joined with f4's (stride 16) and f3's (8).

    stride: 8, 16 or 32, of the scores before the last transposed convolution.
    aligned: True trims every transposed convolution by the same amount on all sides, so that the logits,
    (B, H, W, n_classes), lie over the image. False is keras_segmentation: it trims right and bottom
    only and leaves the last as it is, (B, H + stride, W + stride, n_classes).
    width: of the two layers between f5 and its scores. dropout: rate behind each of them.
    skip_scale: what f3 and f4 are multiplied by before they are scored; (1e-4, 1e-2) in FCN-8s that its authors
    trained at once rather than stage by stage; None for neither.
    sigma: deviation of the truncated normal that scores and transposed convolutions start from; None for He's
    and Glorot's.
    corner_grid: where the maps lie, see models/encoders; of no effect where they are not aligned.
    """
    scales = dict(zip((3, 4), skip_scale or (1, 1), strict=True))
    x = _score(fully_connected(features[4], width, dropout), n_classes, 5, sigma)
    for level in {32: (), 16: (4,), 8: (4, 3)}[stride]:
        x = enlarge(x, n_classes, 2, f"decoder_up{level}", sigma, aligned, corner_grid=corner_grid)
        if not aligned:
            x = layers.Cropping2D(((0, 2), (0, 2)), name=f"decoder_crop{level}")(x)
        skip = scaled(features[level - 1], scales[level], level)
        x = layers.Add(name=f"decoder_add{level}")([x, _score(skip, n_classes, level, sigma)])
    return enlarge(x, n_classes, stride, "classifier_up", sigma, aligned, corner_grid=corner_grid)


def fully_connected(x: "KerasTensor", width: int, dropout: float) -> "KerasTensor":
    """VGG16's two fully connected layers as convolutions, 7x7 and 1x1, each with dropout."""
    for name, kernel in (("fc6", 7), ("fc7", 1)):
        x = layers.Conv2D(width, kernel, padding="same", activation="relu", name=name)(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    return x


def scaled(x: "KerasTensor", factor: float, level: int) -> "KerasTensor":
    """Multiply the feature map f`level` by a constant."""
    return x if factor == 1 else layers.Rescaling(factor, name=f"decoder_scale{level}")(x)


def enlarge(x: "KerasTensor", width: int, factor: int, name: str, sigma: float | None, aligned: bool = True,
            kernel: int | None = None, corner_grid: bool = False) -> "KerasTensor":
    """Enlarge x by a transposed convolution to `width` channels; its kernel has twice the factor if not set."""
    kernel, on_corners = kernel or 2 * factor, aligned and corner_grid
    # "same" cuts factor / 2 off each side of the (n + 1) * factor that "valid" yields.
    x = layers.Conv2DTranspose(width, kernel, strides=factor, use_bias=False, name=name,
                               kernel_initializer=initial(sigma, "glorot_uniform"),
                               padding="same" if aligned and not corner_grid else "valid")(x)
    if not on_corners:
        return x
    # An even kernel's middle lies between two pixels.
    before = kernel // 2 - 1
    after = kernel - factor - before
    return half_back(layers.Cropping2D(((before, after), (before, after)), name=f"{name}_crop")(x), name)


def initial(sigma: float | None, otherwise: str) -> Any:
    """The initialiser: a truncated normal, or `otherwise` where sigma is None."""
    return otherwise if sigma is None else keras.initializers.TruncatedNormal(stddev=sigma)


def _score(x: "KerasTensor", n_classes: int, level: int, sigma: float | None) -> "KerasTensor":
    return layers.Conv2D(n_classes, 1, kernel_initializer=initial(sigma, "he_normal"), name=f"classifier_{level}")(x)
