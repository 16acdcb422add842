"""Keras' layers on torch compute by PyTorch's own operators: the same numbers, and no copies of the maps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_layers_compute_as_keras_own_without_copies():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("on_torch.py"))], capture_output=True,
                          text=True, env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT)})
    assert done.stdout == "same\n", done.stderr[-3000:]
