"""Encoders out of keras.applications, for which ImageNet weights are published; a line each where none is changed."""

import dataclasses
from typing import TYPE_CHECKING, Any

from segnet_hpu.lazy import layers
from segnet_hpu.models.encoders import encoders
from segnet_hpu.models.encoders.normalisation import CAFFE, TENSORFLOW, TORCH
from segnet_hpu.models.encoders.rebuild import Application, register

if TYPE_CHECKING:
    import keras


def _resnet50_epsilon(layer: "keras.Layer") -> dict[str, Any]:
    return {"epsilon": 1e-3} if isinstance(layer, layers.BatchNormalization) else {}


def _resnet50_change(layer: "keras.Layer") -> dict[str, Any]:
    return {"padding": 0} if layer.name == "pool1_pad" else _resnet50_epsilon(layer)


def _mobilenet_change(layer: "keras.Layer") -> dict[str, Any]:
    if isinstance(layer, layers.ZeroPadding2D):
        return {"padding": 1}
    return {"padding": "valid"} if layer.name == "conv1" else {}


def _xception_change(layer: "keras.Layer") -> dict[str, Any]:
    return {"padding": "same"} if layer.name in ("block1_conv1", "block1_conv2") else {}


def _mobilenet_v2_change(layer: "keras.Layer") -> dict[str, Any]:
    # With the published 0.999 it takes thousands of steps until what is evaluated is what was learnt.
    return {"momentum": 0.99} if isinstance(layer, layers.BatchNormalization) else {}


RESNET_ENDS = ("conv2_block3_out", "conv3_block4_out")
RESNET50 = Application("ResNet50", ("conv1_conv", *RESNET_ENDS, "conv4_block6_out", "conv5_block3_out"),
                       _resnet50_change)
RESNET50_PADDED = dataclasses.replace(RESNET50, change=_resnet50_epsilon)
MOBILENET = Application("MobileNet", tuple(f"conv_pw_{i}_relu" for i in (1, 3, 5, 11, 13)), _mobilenet_change)


@encoders.register("resnet50", normalisation=CAFFE, application=RESNET50, corner_grid=True)
def resnet50(x: "keras.KerasTensor", output_stride: int = 32, corner_grid: bool = False) -> "list[keras.KerasTensor]":
    """ResNet-50 as keras_segmentation has it.

    f1 comes before batch normalisation, pooling is unpadded, and f2 then has a row and a column added. On the corner
    grid pooling is padded, as published.
    """
    if corner_grid:
        return RESNET50_PADDED.build(x, output_stride, corner_grid)
    features = RESNET50.build(x, output_stride)
    features[1] = layers.ZeroPadding2D(((1, 0), (1, 0)), name="stage2_pad")(features[1])
    return features


# He et al., arXiv 1512.03385.
register("resnet101", Application("ResNet101", ("conv1_relu", *RESNET_ENDS, "conv4_block23_out", "conv5_block3_out")),
         normalisation=CAFFE)


@encoders.register("mobilenet", normalisation=TENSORFLOW, application=MOBILENET, corner_grid=True, input_height=224,
                   input_width=224)
def mobilenet(x: "keras.KerasTensor", output_stride: int = 32) -> "list[keras.KerasTensor]":
    """MobileNet of width 1 (Howard et al., arXiv 1704.04861), padded on all sides as in keras_segmentation."""
    return MOBILENET.build(layers.ZeroPadding2D(1, name="stage1_pad")(x), output_stride)


# MobileNetV2 of width 1 (Sandler et al., arXiv 1801.04381).
register("mobilenet_v2", Application("MobileNetV2", ("expanded_conv_project_BN", "block_2_add", "block_5_add",
                                                     "block_12_add", "out_relu"), _mobilenet_v2_change),
         normalisation=TENSORFLOW)
# Chollet, arXiv 1610.02357; its first two convolutions padded so that the maps halve evenly.
register("xception", Application("Xception", ("block1_conv2_act", "add_1", "add_2", "add_11", "block14_sepconv2_act"),
                                 _xception_change), normalisation=TENSORFLOW)
# EfficientNet-B0 (Tan & Le, arXiv 1905.11946).
register("efficientnet", Application("EfficientNetB0", ("block1a_project_bn", "block2b_add", "block3b_add",
                                                        "block5c_add", "top_activation")), normalisation=TORCH)
# EfficientNetV2-B0 (Tan & Le, arXiv 2104.00298).
register("efficientnet_v2", Application("EfficientNetV2B0", ("block1a_project_activation", "block2b_add",
                                                             "block3b_add", "block5e_add", "top_activation")),
         normalisation=TORCH)
