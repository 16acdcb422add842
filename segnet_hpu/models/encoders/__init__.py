"""Encoders: an image in, five feature maps out.

Each is a function (normalised image (B, H, W, C), output_stride=32) -> feature maps f1..f5 at strides 2, 4, 8, 16 and
32; what would go beyond `output_stride` is dilated instead. Its traits: `normalisation`, `input_height` and
`input_width` where the default size is its own, and `corner_grid` where its strides are those of odd kernels.

Pooling by 2x2 puts pixel i of a map at stride s on the half-pixel grid: s (i + 1/2) - 1/2 pixels into the image. An
odd kernel with a stride, padded alike on all sides, puts it on the corner grid: s i pixels. An encoder that pads
otherwise takes `corner_grid`, which makes it do so; decoders take it to join maps where they lie.
"""

from segnet_hpu.components import Registry

encoders = Registry("encoder", flag="--model_name", package=__name__)
