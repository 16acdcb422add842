"""A new kind of device is one file: a stand-in is put beside the others, and every command knows it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ABACUS = '''
from segnet_hpu.runtime.devices.base import DEVICES, Device, DeviceKind

@DEVICES.register("abacus")
class Abacus(DeviceKind):
    order = 5
    instead_of_amp = ("fp32",)
    launchers = ("mpirun",)
    cards_name, card_counts = "frames", (1, 2)

    def cards(self):
        return ["of wood"]

    def is_present(self):
        return True

    def select(self, backend, card):
        return Device(self.name, "an abacus of wood", jit_compile=False)

    def worker_variables(self, plan):
        return {"ABACUS_ROWS": str(plan.workers_here)}

    def inventory(self):
        return {"abacuses": self.cards()}

    def report(self, inventory):
        return {"Abacuses": ", ".join(inventory["abacuses"])}

    def faults(self, environment):
        yield "the beads are stuck"
'''


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Run segnet_hpu from a copy with one file more; returns the finished process."""
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "segnet_hpu", root / "segnet_hpu", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "segnet_hpu" / "runtime" / "devices" / "abacus.py").write_text(ABACUS)
    (root / "run_scripts").mkdir()
    (root / "run_scripts" / "RUNME_ABACUS_FP32.sh").touch()

    def run(*words):
        return subprocess.run([sys.executable, "-m", "segnet_hpu", *words], cwd=root, text=True, capture_output=True,
                              timeout=300, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(root)})
    return run


TRAIN = ["train", "--model_name", "segnet", "--n_classes", "12", "--input_height", "32", "--input_width", "32",
         "--train_images", "d/images_prepped_train", "--train_annotations", "d/annotations_prepped_train", "--epochs",
         "1", "--steps_per_epoch", "1", "--batch_size", "1", "--model_dir", "run", "--train_engine", "abacus"]


def test_it_trains(command):
    assert command("sample_data", "--out", "d", "--n", "2", "--height", "32", "--width", "32").returncode == 0
    done = command(*TRAIN)
    assert done.returncode == 0, done.stderr
    assert "on an abacus of wood" in done.stdout + done.stderr


def test_flags_and_precision_know_it(command):
    assert "auto,hpu,gpu,abacus,cpu" in "".join(command("predict", "--help").stdout.split())
    done = command(*TRAIN, "--data_type", "amp", "--model_dir", "amp")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        2, "segnet-hpu: --data_type amp (fp16) does not run on abacus; expected fp32 there. Use --data_type fp32")


def test_the_launch_asks_it(command):
    line = command(*TRAIN, "--distributed", "--num_workers", "2", "--dry_run").stdout
    assert line.startswith("mpirun") and "-x ABACUS_ROWS=2" in line
    done = command(*TRAIN, "--distributed", "--num_workers", "2", "--launcher", "horovodrun", "--dry_run")
    assert done.returncode == 2 and "--launcher horovodrun does not go with --train_engine abacus" in done.stderr


def test_doctor_reports_it(command):
    lines = dict(line.split(maxsplit=1) for line in command("doctor").stdout.splitlines() if " " in line.strip())
    assert lines["Abacuses"] == "of wood" and lines["RUNME_ABACUS_FP32"] == "the beads are stuck"
