"""The processes that share a training run: one alone, or ranks that meet. A kind of ranks is one file here."""

from segnet_hpu.runtime.ranks.alone import ALONE, Alone
from segnet_hpu.runtime.ranks.interface import Ranks
from segnet_hpu.runtime.ranks.join import join

__all__ = ["ALONE", "Alone", "Ranks", "join"]
