"""Encoders: an image in, five feature maps out.

Each is a function (normalised image (B, H, W, C), output_stride=32) -> feature maps f1..f5 at strides 2, 4, 8, 16 and
32; what would go beyond `output_stride` is dilated instead. Its traits: `normalisation`, and `input_height` and
`input_width` where the default size is its own.
"""

from segnet_hpu.components import Registry

encoders = Registry("encoder", flag="--model_name", package=__name__)
