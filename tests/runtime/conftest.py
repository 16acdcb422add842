"""Runs code in a process of its own: TensorFlow's devices can be chosen once a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
