"""Decoders: feature maps in, logits out.

Each is a function (feature maps f1..f5, n_classes, **its options) -> logits (B, h, w, n_classes). Its traits:
`divisor` of the input's sides, 32 if not said, `input_height` and `input_width` of the default size, and
`defaults` of options.
"""

from segnet_hpu.components import Registry

decoders = Registry("decoder", flag="--model_name", package=__name__)
