"""keras_segmentation's small U-Net."""

from typing import TYPE_CHECKING

from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders.normalisation import CAFFE
from segnet_hpu.models.networks import networks
from segnet_hpu.models.roles import mark_stages

if TYPE_CHECKING:
    from keras import KerasTensor


@networks.register("unet_mini", normalisation=CAFFE, divisor=4, input_height=360, input_width=480)
def unet_mini(x: "KerasTensor", n_classes: int) -> "KerasTensor":
    """Map an image (B, H, W, C) to logits (B, H, W, n_classes): widths 32, 64, 128, 64, 32."""
    one = _twice(x, 32, "stage1")
    two = _twice(layers.MaxPooling2D(2, name="stage1_pool")(one), 64, "stage2")
    x = _twice(layers.MaxPooling2D(2, name="stage2_pool")(two), 128, "stage3")
    mark_stages([one, two, x])
    for i, (skip, width) in enumerate(((two, 64), (one, 32)), start=1):
        x = layers.UpSampling2D(2, name=f"decoder_up{i}")(x)
        x = layers.Concatenate(name=f"decoder_skip{i}")([x, skip])
        x = _twice(x, width, f"decoder_{i}")
    return layers.Conv2D(n_classes, 1, name="classifier")(x)


def _twice(x: "KerasTensor", width: int, name: str) -> "KerasTensor":
    x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_conv1")(x)
    x = layers.Dropout(0.2, name=f"{name}_dropout")(x)
    return layers.Conv2D(width, 3, padding="same", activation="relu", name=f"{name}_conv2")(x)
