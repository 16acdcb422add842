"""The HPU path against a stand-in for Habana's package, and its names against the real wheel."""

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from segnet_hpu.runtime import gaudi
from segnet_hpu.runtime.devices import hpu
from segnet_hpu.runtime.gaudi import tensorflow as bridge

ROOT = Path(__file__).resolve().parents[2]
STANDIN = ROOT / "tests" / "standin"

HL_SMI = 'echo "HL-225, 1.14.0-a1b2c3"; echo "HL-225, 1.14.0-a1b2c3"'

CHECKS = """
import json, os, sys
from unittest import mock
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.devices import hpu
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.precision import set_precision
import tensorflow as tf

seen = {"cards": hpu.cards()}
tf.test.is_built_with_cuda = lambda: False  # whichever wheel the tests run on

def refusal(call, *args):
    try:
        call(*args)
    except UsageError as error:
        return str(error)

for failure in ("wrong_tf", "no_library", "no_driver", "no_card", "hidden_card"):
    os.environ["HABANA_STANDIN"] = failure
    seen[failure] = refusal(select_device, "hpu")
    sys.modules.pop("habana_frameworks.tensorflow", None)
with mock.patch.object(tf.test, "is_built_with_cuda", lambda: True):
    seen["cuda"] = refusal(select_device, "hpu")
os.environ["HABANA_STANDIN"] = ""
seen["auto"] = vars(select_device("auto"))
device = select_device("hpu")
seen["policy"] = set_precision("bf16", device)
os.environ["TF_BF16_CONVERSION"] = "full"
seen["two_bf16"] = refusal(set_precision, "bf16", device)
print(json.dumps(seen))
"""


def test_standin(python, program, tmp_path):
    bin_folder = program("hl-smi", HL_SMI)
    log = tmp_path / "calls.jsonl"
    seen = python(CHECKS, path=(STANDIN, ROOT), PATH=f"{bin_folder}:{os.environ['PATH']}",
                  HABANA_STANDIN_LOG=str(log))
    assert seen["cards"] == ["HL-225, driver 1.14.0-a1b2c3"] * 2
    for failure, words in {
        "wrong_tf": ("unsupported TF version", "expected TensorFlow 2.15.0", "setup_env.sh hpu"),
        "no_library": ("habana_device.so.2.15.0", "LD_LIBRARY_PATH"),
        "no_driver": ("libSynapse.so", "SynapseAI 1.14.0"),
        "no_card": ("'NoneType'", "driver"),
        "hidden_card": ("sees no HPU", "hl-smi"),
        "cuda": ("built with CUDA", "tensorflow-cpu 2.15.0", "setup_env.sh hpu"),
    }.items():
        assert "\n" not in seen[failure]
        for word in (*words, "--train_engine cpu"):
            assert word in seen[failure], failure
    assert seen["auto"] == {"kind": "hpu", "description": "1 x HL-225, driver 1.14.0-a1b2c3",
                            "jit_compile": False, "host_casts": True}
    assert seen["policy"] == "mixed_bfloat16"
    assert "TF_BF16_CONVERSION=full" in seen["two_bf16"]
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    assert {call["call"] for call in calls} == {"load_habana_module"}
    assert not any(call["tensorflow_running"] for call in calls), "loaded after TensorFlow placed an op"


REFUSED = """
import json
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.devices import hpu
from segnet_hpu.runtime.gaudi import tensorflow as bridge
import tensorflow as tf
tf.test.is_built_with_cuda = lambda: False
seen = []
for python, cards in (((3, 11), []), ((3, 11), ["HL-225"]), ((3, 10), ["HL-225"])):
    bridge.sys = type("sys", (), {"version_info": python})
    hpu.cards, hpu._device_files = lambda: cards, lambda: []
    try:
        select_device("hpu")
    except UsageError as error:
        seen.append(str(error))
print(json.dumps(seen))
"""


def test_without_card_and_without_package(python):
    if gaudi.installed("tensorflow"):
        pytest.skip("habana-tensorflow is installed")
    no_card, other_python, no_package = python(REFUSED)
    assert "no Gaudi card" in no_card and "--train_engine cpu" in no_card
    assert "Python 3.11" in other_python and "3.10 only" in other_python
    assert "PYTHON=python3.10 run_scripts/setup_env.sh hpu" in other_python
    assert "not installed" in no_package and "setup_env.sh hpu" in no_package


def test_hl_smi_fails(program, monkeypatch):
    monkeypatch.setenv("PATH", str(program("hl-smi", "echo no driver; exit 1")))
    assert hpu.cards() == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-input", "--retries", "0",
               "--python-version", "3.10", "--only-binary=:all:", "--platform", "manylinux2014_x86_64",
               "-d", str(folder), "habana-tensorflow==1.14.0.493"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip("habana-tensorflow's wheel cannot be downloaded here")
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def _source(wheel, module):
    path = module.replace(".", "/")
    names = wheel.namelist()
    return wheel.read(f"{path}/__init__.py" if f"{path}/__init__.py" in names else f"{path}.py").decode()


def _public_names(source):
    for node in ast.parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


@pytest.mark.parametrize("source_of", ["wheel", "standin"])
def test_names_exist(source_of, request):
    for module, names in bridge.HPU_API.items():
        if source_of == "wheel":
            source = _source(request.getfixturevalue("wheel"), module)
        else:
            source = (STANDIN / module.replace(".", "/") / "__init__.py").read_text()
        assert set(names) <= set(_public_names(source))


def test_real_messages_are_those_we_explain(wheel):
    text = "".join(_source(wheel, f"habana_frameworks.tensorflow.{m}") for m in ("sysconfig", "lib_utils"))
    for words in ("unsupported TF version", "local path", "LD_LIBRARY_PATH", f"['{bridge.TENSORFLOW_VERSION}']"):
        assert words in text


def test_real_library_is_built_against_the_cpu_wheel(wheel):
    library = next(n for n in wheel.namelist() if n.endswith("/habana_device.so.2.15.0"))
    assert b"/tensorflow-cpu/py3.10/tf2.15.0/" in wheel.read(library)


def test_real_package_loads_beside_keras_3(python):
    """As far as a machine without a card lets it: up to asking the driver for the card's type."""
    try:
        importlib.metadata.version("habana-tensorflow")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("habana-tensorflow is not installed")
    if hpu.cards():
        pytest.skip("there is a card: training itself is the test")
    code = """
import json
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.devices import hpu
hpu.cards = lambda: ["HL-225"]
try:
    select_device("hpu")
except UsageError as error:
    from habana_frameworks.tensorflow import habana_ops
    print(json.dumps([str(error), habana_ops.is_initialized]))
"""
    message, ops_loaded = python(code)
    assert ops_loaded and "driver" in message


HABANAS_HOROVOD = """
import json
import types
from segnet_hpu.runtime.ranks import join
ranks = join(types.SimpleNamespace(distributed=True, kubernetes_run=False, num_workers=None, min_workers=None))
import horovod.tensorflow as hvd
import keras, numpy as np
optimizer = keras.optimizers.SGD(1.0)
variable = keras.Variable(np.ones(3, "float32"))
optimizer.build([variable])
ranks.average_gradients(optimizer)
optimizer.apply([keras.ops.full((3,), 0.25)])
first = [ranks.first(lambda: "rank 0's"), ranks.sum(np.arange(2)).tolist(), ranks.sum(np.array([0.5])).tolist()]
print(json.dumps([ranks.size, variable.numpy().tolist(), hvd.averaged, first]))
"""


def test_habanas_horovod(python, program):
    """It loads Habana's module at its import, before a device is selected, and averages tensor by tensor."""
    bin_folder = program("hl-smi", HL_SMI)
    size, weights, averaged, met = python(HABANAS_HOROVOD, path=(STANDIN, f"{STANDIN}_horovod", ROOT),
                                          HOROVOD_RANK="0", HOROVOD_SIZE="1",
                                          PATH=f"{bin_folder}:{os.environ['PATH']}")
    # The gradient, and what the ranks wish.
    assert (size, weights) == (1, [0.75] * 3) and averaged == ["gradients.0", "gradients.1", "sum", "sum"]
    assert met == ["rank 0's", [0, 1], [0.5]]


@pytest.mark.skipif(not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 unpacks its source")
def test_habanas_horovod_is_as_its_stand_in(tmp_path):
    """What it does when it is imported, and which kernels it has for HPU, in its source."""
    done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-input", "--retries", "0",
                           "--no-build-isolation", "--no-binary=:all:", "-d", str(tmp_path),
                           "habana-horovod==1.14.0.493"], capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.skip("habana-horovod's source cannot be downloaded here")
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        python, cpp = (archive.extractfile(f"habana-horovod-1.14.0.493/horovod/tensorflow/mpi_ops.{ending}").read()
                       .decode() for ending in ("py", "cc"))
    lines = [line.strip() for line in python.splitlines()]
    imported = lines[lines.index("load_habana_module()"):]
    assert "MPI_LIB = _load_library('mpi_lib' + get_ext_suffix())" in imported
    assert "from habana_frameworks.tensorflow.internal.allcompare import AllCompare" in imported
    kernels = set(re.findall(r'Name\("Horovod(\w+)"\)\.Device\(DEVICE_HPU\)', cpp))
    assert {"Allreduce", "Allgather"} <= kernels and "GroupedAllreduce" not in kernels
