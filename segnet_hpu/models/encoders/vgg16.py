"""VGG16 without batch normalisation (Simonyan & Zisserman, arXiv 1409.1556)."""

from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.dilation import step
from segnet_hpu.models.encoders.normalisation import CAFFE

if TYPE_CHECKING:
    from keras import KerasTensor

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


@encoders.register("vgg16", normalisation=CAFFE)
def vgg16(x: "KerasTensor", output_stride: int = 32) -> "list[KerasTensor]":
    """Map a normalised image (B, H, W, C) to five feature maps at strides 2, 4, 8, 16, 32."""
    features = []
    for number, widths in enumerate(BLOCKS, start=1):
        strides, rate = step(2 ** (number - 1), output_stride)
        for i, width in enumerate(widths, start=1):
            # He's initialiser keeps the signal's size through ten ReLUs when no pretrained weights follow.
            x = layers.Conv2D(width, 3, padding="same", activation="relu", kernel_initializer="he_normal",
                              dilation_rate=rate, name=f"block{number}_conv{i}")(x)
        x = layers.MaxPooling2D(2, strides=strides, padding="valid" if strides == 2 else "same",
                                name=f"block{number}_pool")(x)
        features.append(x)
    return features
