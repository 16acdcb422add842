"""The scripts of docs/export.md, run as they stand, where this package cannot be imported."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from exported import SIZE, export
from segnet_hpu.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs/export.md").read_text()
ONNX = all(map(importlib.util.find_spec, ("tf2onnx", "onnx", "onnxruntime")))
# One process for all, because importing TensorFlow takes seconds.
RUNNER = """
import os, sys
sys.modules["segnet_hpu"] = None
for i, script in enumerate(sys.argv[1:]):
    exec(script, {})
    os.rename("labelled.png", f"labelled_{i}.png")
"""


def scripts():
    """The page's scripts; that of TensorFlow Lite a second time, for the quantised file."""
    found = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 4 and max(len(one.splitlines()) for one in found) <= 14
    found = found if ONNX else [one for one in found if "onnxruntime" not in one]
    return found + [one.replace("street.tflite", "street_int8.tflite") for one in found if "tflite" in one]


def test_the_scripts_draw_what_predict_draws(pieces, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = pieces / "model.keras"
    for line in re.findall(r"^python -m segnet_hpu (export .*)", PAGE, re.MULTILINE):
        if ONNX or "onnx" not in line:
            assert main(line.replace("--checkpoints_path run", f"--checkpoints_path {model}").split()) == 0
    assert export("--checkpoints_path", model, "--format", "tflite_int8", "--argmax", "--calibration_images",
                  pieces / "images", "--out", "street_int8.tflite") == 0
    picture = cv2.imread(str(pieces / "images/5.png"))
    assert picture.shape[:2] == SIZE
    cv2.imwrite("picture.png", picture)
    assert main(f"predict --checkpoints_path {model} --input_path picture.png --output_path ours.png".split()) == 0
    ours = cv2.imread("ours.png")

    found = scripts()
    done = subprocess.run([sys.executable, "-c", RUNNER, *found], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for i, script in enumerate(found):
        equal = (cv2.imread(f"labelled_{i}.png") == ours).all(-1).mean()
        assert equal >= (0.99 if "int8" in script else 0.999), script
    assert len(np.unique(ours.reshape(-1, 3), axis=0)) == 3
