"""Shared fixtures: real data, and the command line as users run it."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import segnet_hpu  # noqa: F401  # before Keras, whose backend is then one that is installed

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data sets; skips where SEGNET_TEST_DATA is not set."""
    folder = os.environ.get("SEGNET_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SEGNET_TEST_DATA does not name the folder of real test data")
    return Path(folder)


@pytest.fixture
def cli(tmp_path):
    """Run `python -m segnet_hpu ARGS...` in an empty folder; returns the finished process."""

    def run(*args, env=None, timeout=300):
        return subprocess.run([sys.executable, "-m", "segnet_hpu", *map(str, args)], cwd=tmp_path, text=True,
                              capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})})

    return run


@pytest.fixture
def yaml_file(tmp_path):
    """Write text to a YAML file; returns its path."""

    def write(text, name="c.yaml"):
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write


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
def settings():
    """Return settings of a distributed training run, with changes."""
    from segnet_hpu import config
    from segnet_hpu.training.settings import Settings

    def make(**changes):
        return config.from_values(Settings, **{"model_name": "vgg_segnet", "n_classes": 2, "train_images": "images",
                                               "train_annotations": "labels", "distributed": True, **changes})
    return make


@pytest.fixture
def python(tmp_path):
    """Run code in a Python of its own, as devices can be chosen once a process; returns the JSON it prints last."""

    def run(code, path=(ROOT,), **env):
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, text=True, capture_output=True,
                              timeout=120, stdin=subprocess.DEVNULL,
                              env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **env})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run
