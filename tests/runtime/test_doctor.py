"""The doctor's facts and verdicts, on this machine and on made-up ones."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from segnet_hpu.cli.doctor import RUN_SCRIPTS, preset_status
from segnet_hpu.runtime.environment import Environment

ROOT = Path(__file__).resolve().parents[2]

GAUDI = {
    "python": "3.10.12", "os": "Linux", "backend": "tensorflow", "backends": ["tensorflow"], "horovod": {},
    "tensorflow": {"gpus": 0, "cuda_build": False}, "versions": {"tensorflow": "2.15.0", "horovod": None},
    "devices": {"cpu_bf16": [], "gpus": [], "hpu_cards": ["HL-225"], "habana_module": True,
                "habana_torch_module": False},
}


def on(backend, **changes):
    """A machine where a backend other than TensorFlow is installed and in force."""
    return machine(backend=backend, backends=[backend], tensorflow={}, **changes)


def machine(**changes):
    """GAUDI with changes; "versions.tensorflow" is written versions__tensorflow."""
    facts = copy.deepcopy(GAUDI)
    for key, value in changes.items():
        outer, _, inner = key.partition("__")
        if inner:
            facts[outer][inner] = value
        else:
            (facts["devices"] if key in facts["devices"] else facts)[outer] = value
    return Environment(**facts)


@pytest.mark.parametrize("preset, facts, expected", [
    ("RUNME_HPU_BF16", machine(), "can run"),
    ("RUNME_HPU_BF16", machine(hpu_cards=[], python="3.12.1"), "no Gaudi card"),
    ("RUNME_HPU_FP32", machine(python="3.11.7"), "Python is 3.11.7"),
    ("RUNME_HPU_FP32", machine(habana_module=False), "habana-tensorflow is not installed"),
    ("RUNME_HPU_FP32", machine(versions__tensorflow="2.15.1"), "TensorFlow is 2.15.1"),
    ("RUNME_HPU_FP32", machine(tensorflow__cuda_build=True), "tensorflow-cpu"),
    ("RUNME_HPU_FP32_DIST", machine(), "Horovod is not installed"),
    ("RUNME_HPU_FP32_DIST", machine(versions__horovod="0.28.1", horovod={"error": "no so"}), "no so"),
    ("RUNME_HPU_FP32_DIST", machine(versions__horovod="0.28.1", horovod={"Gloo": True}), "can run"),
    ("RUNME_GPU_BF16", machine(), "no NVIDIA GPU"),
    ("RUNME_GPU_BF16", machine(gpus=["GPU 0: H200"]), "without CUDA"),
    ("RUNME_GPU_BF16", machine(gpus=["GPU 0: H200"], tensorflow__cuda_build=True), "sees no GPU"),
    ("RUNME_GPU_BF16", machine(gpus=["GPU 0"], tensorflow={"gpus": 1, "cuda_build": True}), "can run"),
    ("RUNME_CPU", machine(), "can run"),
    ("RUNME_CPU", machine(versions__tensorflow=None, backends=[], tensorflow={}), "no TensorFlow"),
    ("RUNME_CPU", machine(tensorflow={"error": "illegal instruction"}), "imported: illegal instruction"),
    ("RUNME_CPU", on("torch"), "can run"),
    ("RUNME_CPU_DIST", on("torch"), "can run"),
    ("RUNME_CPU_DIST", on("jax"), "need TensorFlow or PyTorch"),
    ("RUNME_CPU", machine(backend="torch"), "PyTorch, which KERAS_BACKEND names, is not installed"),
    ("RUNME_CPU", on("torch", torch={"error": "no libc10"}), "PyTorch cannot be imported"),
    ("RUNME_GPU_BF16", on("torch", gpus=["H200"], torch={"cuda_build": None}),
     "PyTorch is built without CUDA: run_scripts/setup_env.sh gpu --backend torch"),
    ("RUNME_GPU_BF16", on("torch", gpus=["H200"], torch={"cuda_build": "13.0", "gpus": 0}), "PyTorch sees no GPU"),
    ("RUNME_GPU_BF16", on("jax", gpus=["H200"], jax={"gpus": 0}), "JAX sees no GPU"),
    ("RUNME_GPU_BF16", on("jax", gpus=["H200"], jax={"gpus": 1}), "can run"),
    ("RUNME_HPU_BF16_DIST", on("torch", python="3.12.1"), "habana-torch-plugin is not"),
    ("RUNME_HPU_BF16_DIST", on("torch", python="3.12.1", habana_torch_module=True),
     "can run"),
    ("RUNME_HPU_BF16", on("jax"), "jax cannot compute on Gaudi"),
    ("RUNME_CPU_BF16", machine(cpu_bf16=["amx_bf16"]), "can run"),
    ("RUNME_CPU_BF16", machine(), "can run, but slowly"),
])
def test_preset_status(preset, facts, expected):
    said = preset_status(preset, facts)
    assert expected in said
    assert (said == "can run") == (expected == "can run")


def test_json_and_report_on_this_machine(cli, program):
    programs = program("hl-smi", 'echo "HL-225, 1.14.0"')
    program("nvidia-smi", 'echo "GPU 0: NVIDIA H200 (UUID: GPU-1)"')
    done = cli("doctor", "--json", env={"PATH": f"{programs}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    import numpy

    assert facts["versions"]["numpy"] == numpy.__version__
    assert facts["python"] == sys.version.split()[0]
    assert facts["hpu_cards"] == ["HL-225, driver 1.14.0"] and facts["gpus"] == ["GPU 0: NVIDIA H200"]
    assert facts["tensorflow"]["gpus"] >= 0 and facts["presets"]["RUNME_CPU"] == "can run"
    assert set(facts["presets"]) == {path.stem for path in RUN_SCRIPTS.glob("RUNME_*.sh")}


def test_without_any_package():
    """A Python that sees no installed package at all, nor any program."""
    done = subprocess.run([sys.executable, "-I", "-S", "-c",
                           f"import sys; sys.path.insert(0, {str(ROOT)!r}); import segnet_hpu.cli as c;"
                           "sys.exit(c.main(['doctor']))"], capture_output=True, text=True, env={"PATH": ""})
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert "not installed" in lines["tensorflow"] and "not installed" in lines["keras"]
    assert "no TensorFlow" in lines["RUNME_CPU"]


def test_broken_tensorflow_and_horovod(cli, tmp_path):
    broken = {"tensorflow": "import os; os.abort()", "horovod": "raise OSError('libmpi.so is gone')"}
    for package, text in broken.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(text)
    (tmp_path / "horovod-0.28.1.dist-info").mkdir()
    (tmp_path / "horovod-0.28.1.dist-info" / "METADATA").write_text("Name: horovod\nVersion: 0.28.1\n")
    done = cli("doctor", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert done.returncode == 0, done.stderr
    assert "TensorFlow cannot be imported: ended with status -6" in done.stdout
    assert "0.28.1 (OSError: libmpi.so is gone)" in done.stdout
