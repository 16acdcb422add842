"""Devices of PyTorch and JAX, each in a process of its own; GPUs by patched lists."""

import importlib.util

import pytest

TORCH = """
import json, os, threading
from unittest import mock
import torch
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device

def refusal(*args, **kwargs):
    try:
        select_device(*args, **kwargs)
    except UsageError as error:
        return str(error)

seen = {}
with mock.patch.object(torch.cuda, "device_count", lambda: 0):
    for version in (None, "13.0"):
        with mock.patch.object(torch.version, "cuda", version):
            seen[f"no_gpu_cuda_{version}"] = refusal("gpu")
with mock.patch.object(torch.cuda, "device_count", lambda: 2), \\
        mock.patch.object(torch.cuda, "get_device_name", lambda card: f"H{card}00"), \\
        mock.patch.object(torch.cuda, "set_device") as used:
    seen["gpu"] = vars(select_device("gpu"))
    import keras
    from keras.src.backend.torch import core
    seen["first"] = used.call_args.args, core.get_device(), os.environ["KERAS_TORCH_DEVICE"]
    seen["second"] = vars(select_device("auto", card=1)), used.call_args.args, core.get_device()
    seen["third"] = refusal("gpu", card=2)
seen["cpu"] = vars(select_device("cpu", threads=1, deterministic=True))
seen["set"] = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
seen["here"] = str(keras.Variable([1.0]).value.device)
threading.Thread(target=lambda: seen.update(in_a_thread=core.get_device())).start()
print(json.dumps(seen))
"""


def test_torch(python):
    pytest.importorskip("torch")
    seen = python(TORCH, KERAS_BACKEND="torch")
    explained = {"None": ("built without CUDA", "setup_env.sh gpu --backend torch"), "13.0": ("nvidia-smi",)}
    for version, words in explained.items():
        for word in (*words, "--train_engine cpu"):
            assert word in seen[f"no_gpu_cuda_{version}"]
    assert seen["gpu"] == {"kind": "gpu", "description": "H000, one of 2", "jit_compile": "auto", "host_casts": False}
    # The card's number is not part of the name: Keras compares it with "cuda".
    assert seen["first"] == [[0], "cuda", "cuda"]
    assert seen["second"][0]["description"] == "H100, one of 2" and seen["second"][1:] == [[1], "cuda"]
    assert "PyTorch sees 2" in seen["third"] and "worker 2" in seen["third"]
    assert seen["cpu"].pop("description")
    assert seen["cpu"] == {"kind": "cpu", "jit_compile": "auto", "host_casts": False}
    assert seen["set"] == [1, True] and seen["here"] == "cpu" and seen["in_a_thread"] == "cpu"


JAX = """
import json, os
from unittest import mock
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime import backends
from segnet_hpu.runtime.device import select_device

jax_backend = backends.current()
import jax
from segnet_hpu.runtime.backends import jax as ours
cards = [mock.Mock(device_kind=f"H{card}00") for card in range(2)]
seen = {"preallocates": os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"]}
with mock.patch.object(ours, "_gpus", lambda: cards), mock.patch.object(jax.config, "update") as update:
    seen["gpu"] = vars(select_device("gpu", card=1))
    seen["second"] = update.call_args.args[0], update.call_args.args[1] is cards[1]
with mock.patch.object(ours, "_gpus", lambda: []):
    try:
        select_device("gpu")
    except UsageError as error:
        seen["refused"] = str(error)
seen["cpu"] = vars(select_device("cpu", threads=1, deterministic=True))
seen["set"] = os.environ["NPROC"], os.environ["XLA_FLAGS"]
import keras
seen["here"] = keras.Variable([1.0]).value.device.platform
try:
    select_device("hpu")
except UsageError as error:
    seen["hpu"] = str(error)
print(json.dumps(seen))
"""


def test_jax(python):
    if not importlib.util.find_spec("jax"):
        pytest.skip("jax is not installed")
    seen = python(JAX, KERAS_BACKEND="jax")
    assert seen["preallocates"] == "false"
    assert seen["gpu"] == {"kind": "gpu", "description": "H100, one of 2", "jit_compile": "auto", "host_casts": False}
    assert seen["second"] == ["jax_default_device", True]
    assert "JAX" in seen["refused"] and "setup_env.sh gpu --backend jax" in seen["refused"]
    assert seen["cpu"]["kind"] == "cpu" and seen["cpu"]["jit_compile"] == "auto" and seen["here"] == "cpu"
    assert seen["set"] == ["1", "--xla_gpu_deterministic_ops=true"]
    assert "no Gaudi card" in seen["hpu"]
