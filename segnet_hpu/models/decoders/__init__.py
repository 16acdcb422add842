"""Decoders: feature maps in, logits out. Each takes (features, n_classes, **its own options)."""

from segnet_hpu.models.decoders.segnet import segnet

DECODERS = {"segnet": segnet}
