"""Street-like scenes drawn from a seed: a data set for every machine, without a download."""

from segnet_hpu.samples.scene import draw_scene

__all__ = ["draw_scene"]
