"""Whole networks: those that are no encoder with a decoder.

Each is a function (normalised image (B, H, W, C), n_classes, **its options) -> logits (B, h, w, n_classes), and marks
the stages of its encoder. Its traits: `normalisation`, `divisor` and `remainder` of the input's sides, `input_height`
and `input_width` of the default size.
"""

from segnet_hpu.components import Registry

networks = Registry("network", flag="--model_name", package=__name__)
