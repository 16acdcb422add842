"""Gaudi through PyTorch, up to the bridge's doors: a stand-in of its package, and what it asks of Keras."""

import json
import os
from pathlib import Path

import pytest

from segnet_hpu.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]

# What habana_frameworks.torch.hpu offers, and the real package's failures on demand.
HPU = """
import os
failure = os.environ.get("HABANA_STANDIN", "")
if failure == "other_torch":
    raise AssertionError("Error: Compile-time major/minor PyTorch version 2.9.0 differs from run-time 2.13.0.")
if failure == "no_library":
    raise OSError("libSynapse.so: cannot open shared object file: No such file or directory")
mode = os.environ["PT_HPU_LAZY_MODE"]
def is_available(): return failure != "hidden_card"
def device_count(): return 8
"""

CHECKS = """
import json, os, sys
import torch
from unittest import mock
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime import gaudi

seen = {}
for failure in ("other_torch", "no_library", "hidden_card"):
    os.environ["HABANA_STANDIN"] = failure
    try:
        select_device("hpu")
    except UsageError as error:
        seen[failure] = str(error)
    for module in ("habana_frameworks.torch.hpu", "habana_frameworks.torch"):
        sys.modules.pop(module, None)
os.environ["HABANA_STANDIN"] = ""
with mock.patch.object(torch, "Generator", side_effect=RuntimeError):  # as the bridge of 1.19 has none
    seen["hpu"] = vars(select_device("auto", card=1))
import habana_frameworks.torch.hpu
from segnet_hpu.runtime.keras_internals.torch import core
seen["set"] = habana_frameworks.torch.hpu.mode, os.environ["HLS_MODULE_ID"], core.get_device()

core.DEFAULT_DEVICE = "cpu"  # there is no card to draw for
import keras, numpy as np
with mock.patch.object(keras, "device", wraps=keras.device) as host:
    draws = [keras.random.normal((1000,), seed=3), keras.random.uniform((1000,), seed=3)]
    dropped = keras.layers.Dropout(0.25, seed=1)(np.ones((50, 40), "float32"), training=True)
seen["on_host"] = {call.args[0] for call in host.call_args_list} == {"cpu"}
seen["means"] = [float(draw.mean()) for draw in draws]
seen["dropped"] = float((dropped == 0).float().mean()), float(dropped.max())
print(json.dumps(seen))
"""


def test_the_bridge(python, program, tmp_path):
    pytest.importorskip("torch")
    package = tmp_path / "packages" / "habana_frameworks" / "torch"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "hpu.py").write_text(HPU)
    path = f"{program('hl-smi', 'echo HL-325L, 1.24.1')}:{os.environ['PATH']}"
    seen = python(CHECKS, path=(tmp_path / "packages", ROOT), PATH=path, KERAS_BACKEND="torch")
    for failure, words in {
        "other_torch": ("differs from run-time 2.13.0", "PyTorch that Habana's bridge was built for"),
        "no_library": ("libSynapse.so", "SynapseAI's driver"),
        "hidden_card": ("PyTorch sees no HPU", "hl-smi"),
    }.items():
        assert "\n" not in seen[failure]
        for word in (*words, "--train_engine cpu"):
            assert word in seen[failure], failure
    assert seen["hpu"] == {"kind": "hpu", "description": "8 x HL-325L, driver 1.24.1", "jit_compile": False,
                           "host_casts": True}
    assert seen["set"] == ["0", "1", "hpu"]
    assert seen["on_host"] and abs(seen["means"][0]) < 0.1 and abs(seen["means"][1] - 0.5) < 0.05
    assert abs(seen["dropped"][0] - 0.25) < 0.05 and seen["dropped"][1] == pytest.approx(4 / 3)


def test_each_worker_takes_a_card_of_its_own():
    pytest.importorskip("torch")
    from segnet_hpu.runtime.gaudi.torch import take_module

    for visible, card, module in (("", 2, "2"), ("4,5,6,7", 1, "5")):
        environ = {"HABANA_VISIBLE_MODULES": visible}
        take_module(card, environ)
        assert environ["HLS_MODULE_ID"] == module
    environ = {"HLS_MODULE_ID": "6"}
    take_module(0, environ)
    assert json.dumps(environ) == '{"HLS_MODULE_ID": "6"}'  # the launcher's own choice stands
    with pytest.raises(UsageError, match="worker 2 of this machine has no Gaudi card"):
        take_module(2, {"HABANA_VISIBLE_MODULES": "0,1"})
