"""Device and precision with TensorFlow, in one process; and with another backend."""

import importlib.util

import pytest

CHECKS = """
import contextlib, io, json, os, random
from unittest import mock
import numpy as np
from segnet_hpu.errors import UsageError

random.seed(5); np.random.seed(5)
before = random.getstate(), np.random.get_state()[1].tolist()
from segnet_hpu.runtime import processor
from segnet_hpu.runtime.device import Device, select_device
from segnet_hpu.runtime.precision import set_precision
seen = {"import_kept_random": (random.getstate(), np.random.get_state()[1].tolist()) == before}
import keras, tensorflow as tf

def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except UsageError as error:
        return str(error)

# ---- refusals
seen["unknown"] = refusal(select_device, "tpu")
with mock.patch.object(tf.config, "list_physical_devices", lambda kind: []):
    for built in (False, True):
        with mock.patch.object(tf.test, "is_built_with_gpu_support", lambda: built):
            seen[f"no_gpu_cuda_{built}"] = refusal(select_device, "gpu")

# ---- a GPU that TensorFlow is made to list
gpus = ["gpu0", "gpu1"]
with mock.patch.object(tf.config, "list_physical_devices", lambda kind: gpus if kind == "GPU" else []), \\
        mock.patch.object(tf.config, "set_visible_devices") as visible, \\
        mock.patch.object(tf.config.experimental, "set_memory_growth") as growth, \\
        mock.patch.object(tf.config.experimental, "get_device_details", lambda gpu: {"device_name": "H200"}):
    seen["gpu"] = vars(select_device("gpu"))
    seen["auto_gpu"] = select_device("auto").kind
    seen["growth"] = growth.call_args.args
    seen["second"] = vars(select_device("gpu", card=1))["kind"], visible.call_args.args
    seen["third"] = refusal(select_device, "gpu", card=2)
    del gpus[1]
    seen["one"] = select_device("gpu").description
    seen["second_of_one"] = refusal(select_device, "gpu", card=1)
    with mock.patch.dict(os.environ, SLURM_PROCID="1", SLURM_STEP_NUM_TASKS="2", SLURM_LOCALID="1"):
        seen["its_own"] = select_device("gpu", card=1).kind

# ---- the CPU
seen["cpu"] = vars(select_device("cpu", threads=1, deterministic=True))
seen["threads"] = [tf.config.threading.get_intra_op_parallelism_threads(),
                   tf.config.threading.get_inter_op_parallelism_threads()]
seen["gpus_visible"] = len(tf.config.get_visible_devices("GPU"))
from tensorflow.python.framework import config as internal
seen["deterministic"] = internal.is_op_determinism_enabled()

# ---- precision: dtypes of a layer's weights and of its output
def layer(data_type, kind):
    warned = io.StringIO()
    with contextlib.redirect_stderr(warned):
        name = set_precision(data_type, Device(kind, ""))
    dense = keras.layers.Dense(1)
    return name, keras.backend.standardize_dtype(dense(np.ones((1, 2), "float32")).dtype), \\
        dense.kernel.dtype, warned.getvalue()

for flags in (("avx512_bf16",), ()):
    with mock.patch.object(processor, "bf16_instructions", lambda: flags):
        seen[f"bf16_{len(flags)}"] = layer("bf16", "cpu")
seen["fp32"] = layer("fp32", "cpu")
seen["amp_gpu"] = layer("amp", "gpu")
seen["amp_cpu"] = refusal(set_precision, "amp", Device("cpu", ""))
seen["amp_hpu"] = refusal(set_precision, "amp", Device("hpu", ""))
seen["fp64"] = refusal(set_precision, "fp64", Device("cpu", ""))

# ---- TensorFlow runs by now
seen["late_threads"] = refusal(select_device, "cpu", threads=3)
seen["again"] = vars(select_device("cpu", threads=1)) == seen["cpu"]
print(json.dumps(seen))
"""


def test_tensorflow(python):
    seen = python(CHECKS)
    assert seen["import_kept_random"]

    assert "'tpu'" in seen["unknown"] and "auto, hpu, gpu, cpu" in seen["unknown"]
    for built, words in ("False", ("built without CUDA", "setup_env.sh gpu")), ("True", ("nvidia-smi",)):
        for word in (*words, "--train_engine cpu"):
            assert word in seen[f"no_gpu_cuda_{built}"]

    assert seen["gpu"] == {"kind": "gpu", "description": "H200, one of 2", "jit_compile": "auto",
                           "host_casts": False}
    assert seen["auto_gpu"] == "gpu"
    assert seen["growth"] == ["gpu0", True]
    assert seen["second"] == ["gpu", [["gpu1"], "GPU"]] and seen["one"] == "H200"
    assert "TensorFlow sees 2" in seen["third"] and "worker 1 of this machine" in seen["second_of_one"]
    assert seen["its_own"] == "gpu"

    assert seen["cpu"].pop("description")
    assert seen["cpu"] == {"kind": "cpu", "jit_compile": False, "host_casts": False}
    assert seen["threads"] == [1, 1] and seen["gpus_visible"] == 0 and seen["deterministic"]
    assert seen["again"]
    assert "threads is 3" in seen["late_threads"] and "before making a model" in seen["late_threads"]

    assert seen["fp32"] == ["float32", "float32", "float32", ""]
    assert seen["bf16_1"] == ["mixed_bfloat16", "bfloat16", "float32", ""]
    assert seen["bf16_0"][:3] == ["mixed_bfloat16", "bfloat16", "float32"]
    assert seen["bf16_0"][3].count("\n") == 1 and "slow" in seen["bf16_0"][3]
    assert seen["amp_gpu"][:3] == ["mixed_float16", "float16", "float32"]
    assert "--data_type bf16 or --data_type fp32" in seen["amp_cpu"] and "cpu" in seen["amp_cpu"]
    assert "--data_type bf16" in seen["amp_hpu"] and "fp32" not in seen["amp_hpu"]
    assert "'fp64'" in seen["fp64"] and "fp32, bf16, amp" in seen["fp64"]


OTHER_BACKEND = """
import json, sys
from unittest import mock
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime import backends
with mock.patch.object(type(backends.current()), "gpus", lambda self: []):
    try:
        select_device("gpu")
    except UsageError as error:
        refused = str(error)
device = select_device("auto", threads=1, deterministic=True)
import keras
variable = keras.Variable([1.0])
print(json.dumps([device.kind, device.jit_compile, refused, "tensorflow" in sys.modules]))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_and_tensorflow_stays_out(python, backend):
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    kind, jit_compile, refused, tensorflow = python(OTHER_BACKEND, KERAS_BACKEND=backend)
    assert kind in ("cpu", "gpu") and jit_compile == "auto"
    assert {"jax": "JAX", "torch": "PyTorch"}[backend] in refused and "--train_engine cpu" in refused
    assert not tensorflow


def test_no_backend_installed(python, tmp_path):
    (tmp_path / "keras.py").write_text("import tensorflow_that_is_not_there")
    code = """
import json
from segnet_hpu.errors import UsageError
from segnet_hpu.runtime.device import select_device
try:
    select_device("cpu")
except UsageError as error:
    print(json.dumps(str(error)))
"""
    message = python(code, path=(tmp_path, __file__.rsplit("/tests/", 1)[0]))
    assert "tensorflow_that_is_not_there" in message and "setup_env.sh cpu" in message
