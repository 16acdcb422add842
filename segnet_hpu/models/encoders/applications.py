"""Encoders out of keras.applications, for which ImageNet weights are published."""

import keras
from keras import layers

from segnet_hpu.models.encoders.rebuild import Application


def resnet50(x, output_stride=32):
    """ResNet-50 as keras_segmentation has it.

    f1 comes before batch normalisation, pooling is unpadded, and f2 then has a row and a column added.
    """
    features = RESNET50.build(x, output_stride)
    features[1] = layers.ZeroPadding2D(((1, 0), (1, 0)), name="stage2_pad")(features[1])
    return features


def resnet101(x, output_stride=32):
    """ResNet-101 (He et al., arXiv 1512.03385)."""
    return RESNET101.build(x, output_stride)


def mobilenet(x, output_stride=32):
    """MobileNet of width 1 (Howard et al., arXiv 1704.04861), padded on all sides as in keras_segmentation."""
    return MOBILENET.build(layers.ZeroPadding2D(1, name="stage1_pad")(x), output_stride)


def mobilenet_v2(x, output_stride=32):
    """MobileNetV2 of width 1 (Sandler et al., arXiv 1801.04381)."""
    return MOBILENET_V2.build(x, output_stride)


def xception(x, output_stride=32):
    """Xception (Chollet, arXiv 1610.02357), its first two convolutions padded so that the maps halve evenly."""
    return XCEPTION.build(x, output_stride)


def efficientnet(x, output_stride=32):
    """EfficientNet-B0 (Tan & Le, arXiv 1905.11946)."""
    return EFFICIENTNET.build(x, output_stride)


def _resnet50_change(layer):
    if isinstance(layer, layers.BatchNormalization):
        return {"epsilon": 1e-3}
    return {"padding": 0} if layer.name == "pool1_pad" else {}


def _mobilenet_change(layer):
    if isinstance(layer, layers.ZeroPadding2D):
        return {"padding": 1}
    return {"padding": "valid"} if layer.name == "conv1" else {}


def _xception_change(layer):
    return {"padding": "same"} if layer.name in ("block1_conv1", "block1_conv2") else {}


def _mobilenet_v2_change(layer):
    # With the published 0.999 it takes thousands of steps until what is evaluated is what was learnt.
    return {"momentum": 0.99} if isinstance(layer, layers.BatchNormalization) else {}


_RESNET_ENDS = ("conv2_block3_out", "conv3_block4_out")
RESNET50 = Application(
    keras.applications.ResNet50,
    ("conv1_conv", *_RESNET_ENDS, "conv4_block6_out", "conv5_block3_out"), _resnet50_change)
RESNET101 = Application(
    keras.applications.ResNet101, ("conv1_relu", *_RESNET_ENDS, "conv4_block23_out", "conv5_block3_out"))
MOBILENET = Application(
    keras.applications.MobileNet, tuple(f"conv_pw_{i}_relu" for i in (1, 3, 5, 11, 13)), _mobilenet_change)
MOBILENET_V2 = Application(
    keras.applications.MobileNetV2,
    ("expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add", "out_relu"),
    _mobilenet_v2_change)
XCEPTION = Application(
    keras.applications.Xception, ("block1_conv2_act", "add_1", "add_2", "add_11", "block14_sepconv2_act"),
    _xception_change)
EFFICIENTNET = Application(
    keras.applications.EfficientNetB0,
    ("block1a_project_bn", "block2b_add", "block3b_add", "block5c_add", "top_activation"))

# By the encoder's name in the registry.
APPLICATIONS = {"resnet50": RESNET50, "resnet101": RESNET101, "mobilenet": MOBILENET,
                "mobilenet_v2": MOBILENET_V2, "xception": XCEPTION, "efficientnet": EFFICIENTNET}
