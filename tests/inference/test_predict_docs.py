"""The commands and the script of docs/predict.md, run as they stand on the sample data."""

import re
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from odd import build

from segnet_hpu.cli import main
from segnet_hpu.models.trained_model import TrainedModel

PAGE = (Path(__file__).resolve().parents[2] / "docs/predict.md").read_text()
# A screen, a camera, or a model with dropout is not here; the shell script trains for minutes.
ELSEWHERE = ("--display", "--mc_samples", "run_scripts")


def commands():
    blocks = "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, re.S)).replace("\\\n", " ")
    return [line for line in blocks.splitlines() if line and not any(word in line for word in ELSEWHERE)]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """A folder as the preset leaves it, with a small model, and a video."""
    folder = tmp_path_factory.mktemp("docs")
    assert main(["sample_data", "--out", f"{folder}/dataset1", "--height", "60", "--width", "80"]) == 0
    TrainedModel(build(12)).save(folder / "runs/cpu/checkpoints/odd.best.keras")
    writer = cv2.VideoWriter(f"{folder}/road.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 25, (80, 60))
    for i in range(3):
        writer.write(np.full((60, 80, 3), 40 * i, np.uint8))
    writer.release()
    return folder


@pytest.mark.parametrize("command", commands())
def test_command(sample, monkeypatch, command):
    monkeypatch.chdir(sample)
    program, *argv = shlex.split(command)
    assert program == "segnet-hpu" and main(argv) == 0
    for flag, path in zip(argv, argv[1:], strict=False):
        assert flag != "--output_path" or (sample / path).exists()


def test_script(sample, monkeypatch):
    monkeypatch.chdir(sample)
    (sample / "labelled.mp4").unlink(missing_ok=True)
    script, = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    exec(script, {})
    assert cv2.VideoCapture("labelled.mp4").get(cv2.CAP_PROP_FRAME_COUNT) == 3
