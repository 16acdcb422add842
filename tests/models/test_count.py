"""Parameters and GFLOPs, against sums by hand."""

import keras
from keras import layers

from segnet_hpu.models.build import build_model
from segnet_hpu.models.cost import gflops, outline, parameters


def test_each_kind_of_layer_by_hand():
    x = image = keras.Input((32, 48, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)           # 16x24, 9 * 3 to 8
    x = layers.DepthwiseConv2D(5, padding="same")(x)                # 16x24, 25 each
    x = layers.SeparableConv2D(16, 3, padding="same")(x)            # 16x24, 9 each, then 8 to 16
    x = layers.BatchNormalization()(x)
    x = layers.Conv2D(16, 3, groups=4, padding="same")(x)           # 16x24, 9 * 4 to 16
    x = layers.Conv2DTranspose(4, 4, strides=2, padding="same")(x)  # from 16x24, 16 * 16 to 4
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Dense(10)(x))
    by_hand = 16 * 24 * (27 * 8 + 25 * 8 + 9 * 8 + 8 * 16 + 36 * 16 + 16 * 16 * 4) + 4 * 10
    assert gflops(model) * 1e9 == 2 * by_hand


def test_an_outline_counts_like_the_model():
    thin, whole = outline("mobilenet_unet", 5, 32, 64), build_model("mobilenet_unet", 5, 32, 64)
    assert parameters(thin) == parameters(whole) == whole.count_params()
    assert gflops(thin) == gflops(whole) > 0
    assert thin.to_json() == whole.to_json()


def test_vgg16_as_published():
    """15.3 billion multiply-adds at 224x224 (He et al., arXiv 1512.03385, for VGG-16's convolutions)."""
    model = outline("vgg16_fcn_32", 2, 224, 224, width=1)
    encoder = keras.Model(model.input, model.get_layer("block5_pool").output)
    assert round(gflops(encoder) / 2, 1) == 15.3
