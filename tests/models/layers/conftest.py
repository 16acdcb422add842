"""Lets the tests of layers share the helpers of the tests of models."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
