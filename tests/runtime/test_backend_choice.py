"""Which backend of Keras computes: --backend, KERAS_BACKEND, or what is installed. Nothing here imports one."""

import importlib.util
import os
import sys
import types

import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import backends


@pytest.mark.parametrize("installed, expected", [
    ("jax torch tensorflow", "tensorflow"), ("jax torch", "torch"), ("jax", "jax"), ("", "tensorflow"),
    ("torch tensorflow habana_frameworks habana_frameworks.torch", "torch"),
    ("torch tensorflow habana_frameworks habana_frameworks.tensorflow", "tensorflow")])
def test_the_first_that_is_installed(monkeypatch, installed, expected):
    installed = installed.split()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in installed or None)
    assert backends.default_backend() == expected
    assert set(backends.installed()) == {name for name in installed if "habana" not in name}


def test_a_users_choice_of_the_variable_stands(python):
    code = "import json, os, segnet_hpu; print(json.dumps(os.environ['KERAS_BACKEND']))"
    assert python(code, KERAS_BACKEND="jax") == "jax"


OWN_LOSS = """
import os, sys
print("backend", os.environ["KERAS_BACKEND"], file=sys.stderr)
def loss(targets, outputs): return 0
"""


@pytest.mark.parametrize("asked", ["flag", "variable", "yaml"])
def test_it_is_set_before_a_users_own_module_is_imported(cli, tmp_path, asked):
    (tmp_path / "mine.py").write_text(OWN_LOSS)
    (tmp_path / "c.yaml").write_text("backend: torch\n" if asked == "yaml" else "backend: jax\n")
    flags = ["--backend", "torch"] if asked == "flag" else []
    done = cli("train", "--config", "c.yaml", "--loss", "mine:loss", *flags, "--print_config", "--model_name",
               "unet_mini", "--n_classes", "2", "--train_images", "i", "--train_annotations", "l",
               env={"KERAS_BACKEND": "jax"} | ({"SEGNET_BACKEND": "torch"} if asked == "variable" else {}))
    assert done.returncode == 0, done.stderr
    assert done.stderr == "backend torch\n" and "backend: torch\n" in done.stdout


def test_an_unknown_one_is_refused(cli):
    done = cli("predict", "--backend", "theano")
    assert done.returncode == 2 and "auto, tensorflow, torch, jax" in done.stderr
    with pytest.raises(UsageError, match="openvino"):
        backends.find("openvino")


def test_keras_that_is_imported_keeps_its_backend(monkeypatch):
    keras = types.SimpleNamespace(config=types.SimpleNamespace(backend=lambda: "jax"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    with pytest.raises(UsageError, match="imported with jax already.*KERAS_BACKEND=torch"):
        backends.use("torch")
    backends.use("jax")
    backends.use("auto")


def test_one_that_is_not_installed_is_said_in_a_line(cli, tmp_path):
    for name in ("keras", "jax"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('no', name={name!r})")
    done = cli("models", "--name", "unet_mini", "--backend", "jax", env={"PYTHONPATH": f"{tmp_path}:{os.getcwd()}"})
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "no module keras" in done.stderr and "setup_env.sh cpu" in done.stderr
