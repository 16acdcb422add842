"""keras_segmentation's small encoder."""

from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.dilation import step
from segnet_hpu.models.encoders.normalisation import CAFFE

if TYPE_CHECKING:
    from keras import KerasTensor


@encoders.register("vanilla", normalisation=CAFFE)
def vanilla(x: "KerasTensor", output_stride: int = 32) -> "list[KerasTensor]":
    """Map an image (B, H, W, C) to five feature maps: each a 3x3 convolution, batch norm, ReLU and pooling."""
    features = []
    for number, width in enumerate((64, 128, 256, 256, 256), start=1):
        strides, rate = step(2 ** (number - 1), output_stride)
        name = f"stage{number}"
        x = layers.Conv2D(width, 3, padding="same", dilation_rate=rate, name=f"{name}_conv")(x)
        x = layers.BatchNormalization(name=f"{name}_bn")(x)
        x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(2, strides=strides, padding="valid" if strides == 2 else "same",
                                name=f"{name}_pool")(x)
        features.append(x)
    return features
