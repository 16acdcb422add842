"""Data sets by name, read in the layouts they are published in.

Light on purpose: `find` and what it returns need neither NumPy nor OpenCV; reading does.
"""

from segnet_hpu.constants import VOID
from segnet_hpu.data.datasets.dataset import DataSet
from segnet_hpu.data.datasets.layout import Split
from segnet_hpu.data.datasets.registry import NAMES, find, open_dataset, root_of

__all__ = ["NAMES", "VOID", "DataSet", "Split", "find", "open_dataset", "root_of"]
