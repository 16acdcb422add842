"""Runs code in a process of its own: TensorFlow's devices can be chosen once a process."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(tmp_path):
    """Put an executable of this name and shell text into a folder; returns the folder, for PATH."""

    def write(name, text):
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        return file.parent

    return write


@pytest.fixture
def python(tmp_path):
    """Run code in a new Python; returns the JSON it prints last."""

    def run(code, path=(ROOT,), **env):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, text=True, capture_output=True,
                              timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **env})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def settings():
    """Return settings of a distributed training run, with changes."""
    from segnet_hpu import config
    from segnet_hpu.training.settings import Settings

    def make(**changes):
        return config.from_values(Settings, **{"model_name": "vgg_segnet", "n_classes": 2, "train_images": "images",
                                               "train_annotations": "labels", "distributed": True, **changes})
    return make
