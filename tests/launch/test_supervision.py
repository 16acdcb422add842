"""Real launchers with small workers that fail, hang, are killed or stopped: what is said, and that all end."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from segnet_hpu.launch.command import TORCHRUNS_OUTPUT

ROOT = Path(__file__).resolve().parents[2]

# A worker without TensorFlow: says its rank, then does what its rank's argument says.
WORKER = """
import os, signal, sys, time
from segnet_hpu.runtime.worker import end_with_parent, place
end_with_parent()
here = place()
def stop(number, frame):
    print("segnet-hpu: stopped; saved", file=sys.stderr)
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, stop)
print(f"worker {here.rank} of {here.size}\\n", end="", flush=True)
what = sys.argv[1:][here.rank]
if what == "bad":
    print("segnet-hpu: images/a.png is broken", file=sys.stderr)
    sys.exit(2)
if what == "lost":
    time.sleep(1)
    print("segnet-hpu: lost another worker: the connection is closed", file=sys.stderr)
    sys.exit(1)
if what == "warn":
    print("segnet-hpu: warning: slow", file=sys.stderr)
if what == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if what == "frozen":
    os.kill(os.getpid(), signal.SIGSTOP)
if what == "wait":
    print("waits", flush=True)
    time.sleep(100)
"""

PARENT = """
import sys
from segnet_hpu.errors import SegnetError
from segnet_hpu.launch import supervision as supervise
try:
    supervise.supervise(sys.argv[1:], {}, "logs/1", 5)
except SegnetError as error:
    print("segnet-hpu:", error, file=sys.stderr)
    sys.exit(error.exit_status)
"""


def horovodrun():
    program = Path(sys.executable).with_name("horovodrun")
    if importlib.util.find_spec("horovod") is None or not program.exists():
        pytest.skip("Horovod is not installed here; run_scripts/install_horovod.sh cpu installs it")
    return [str(program), "--gloo", "-np", "2"]


def mpirun():
    if not shutil.which("mpirun"):
        pytest.skip("there is no mpirun; Debian's openmpi-bin has it")
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "--tag-output", "-np", "2"]


def torchrun():
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            "--redirects", "3", "--tee", "3"]


LAUNCHERS = pytest.mark.parametrize("launcher", [horovodrun, mpirun, torchrun])


@pytest.fixture
def start(tmp_path):
    """Start a parent whose two workers do as said; returns its process. At the end all of them must be gone."""
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER)

    def begin(launcher, *what):
        logs = "--log-dir" if launcher is torchrun else "--output-filename"
        program = [str(worker)] if launcher is torchrun else [sys.executable, str(worker)]
        command = [*launcher(), logs, str(tmp_path / "logs"), *program, *what]
        return subprocess.Popen([sys.executable, "-c", PARENT, *command], text=True, cwd=tmp_path,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                env={**os.environ, **(TORCHRUNS_OUTPUT if launcher is torchrun else {}),
                                     "PYTHONPATH": str(ROOT)})

    yield begin
    assert left_over(worker) == []


def left_over(worker, seconds=8.0):
    """The processes that still run this worker after so many seconds at the most."""
    end = time.monotonic() + seconds
    while True:
        found = []
        for place in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                if str(worker).encode() in place.read_bytes():
                    found.append(place.parent.name)
            except OSError:
                continue
        if not found or time.monotonic() > end:
            return found


@LAUNCHERS
def test_all_well(start, tmp_path, launcher):
    process = start(launcher, "warn", "warn")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out == "worker 0 of 2\n"  # rank 0 speaks for all
    assert err == "segnet-hpu: warning: slow\n"
    logs = [path.read_text() for path in (tmp_path / "logs").rglob("stdout*")]
    assert [sum(f"worker {rank} of 2" in text for text in logs) for rank in (0, 1)] == [1, 1]


@pytest.mark.parametrize("launcher, what, status, words", [
    (horovodrun, ("lost", "bad"), 2, "segnet-hpu: rank 1: images/a.png is broken\n"),
    (mpirun, ("lost", "bad"), 2, "segnet-hpu: rank 1: images/a.png is broken\n"),
    (mpirun, ("bad", "bad"), 2, "segnet-hpu: images/a.png is broken\n"),
    (horovodrun, ("wait", "killed"), 1, "segnet-hpu: rank 1 was ended by signal 9 (SIGKILL"),
    (mpirun, ("lost", "killed"), 1, "segnet-hpu: rank 1 was ended by signal 9 (SIGKILL"),
    (torchrun, ("wait", "bad"), 2, "segnet-hpu: rank 1: images/a.png is broken\n"),
    (torchrun, ("lost", "killed"), 1, "segnet-hpu: rank 1 was ended by signal 9 (SIGKILL"),
])
def test_the_rank_and_the_cause_are_named(start, launcher, what, status, words):
    process = start(launcher, *what)
    _, err = process.communicate(timeout=60)
    if what == ("bad", "bad"):  # mpirun may stop the second before it speaks
        err = re.sub("rank [01]: ", "", err)
    assert (process.returncode, err.count("\n")) == (status, 1) and err.startswith(words), err


@pytest.mark.parametrize("launcher, other", [(horovodrun, "lost"), (horovodrun, "wait"), (mpirun, "wait"),
                                             (torchrun, "lost")])
def test_hung_worker_is_named(start, launcher, other):
    process = start(launcher, other, "frozen")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and err.startswith("segnet-hpu: rank 1 did not answer within --fault_timeout, 5 s")


@LAUNCHERS
def test_signal_lets_the_workers_save(start, launcher):
    process = start(launcher, "wait", "wait")
    wait_for(process, "waits")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (128 + signal.SIGTERM, "segnet-hpu: stopped; saved\n")


@pytest.mark.parametrize("launcher", [horovodrun, mpirun, pytest.param(torchrun, marks=pytest.mark.skipif(
    not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 starts torchrun for it too"))])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_does_not_wait_for_a_hung_worker(start, launcher, number):
    """Which cannot save, so that the others, who wait for it, cannot either."""
    process = start(launcher, "wait", "frozen")
    wait_for(process, "waits")
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number and err.startswith("segnet-hpu: stopped")


@LAUNCHERS
def test_killed_parent_leaves_no_process(start, launcher):
    process = start(launcher, "wait", "wait")
    wait_for(process, "waits")
    process.kill()
    process.communicate(timeout=60)


def test_launcher_that_fails_by_itself(start):
    process = start(lambda: ["sh", "-c", "echo no such host >&2; exit 7", "sh"])
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "segnet-hpu: sh ended with status 7: no such host\n")


def wait_for(process, word):
    """Read the parent's output up to a line with this word."""
    for line in process.stdout:
        if word in line:
            return
    pytest.fail(f"the workers ended: {process.stderr.read()}")


def test_fault_of_the_data_as_users_see_it(cli, tmp_path):
    """The whole command: two workers are started, and find a folder without labels; on torch where that is alone."""
    torchs = not importlib.util.find_spec("tensorflow")
    torchrun() if torchs else horovodrun()
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "LICENSE", tmp_path / "images" / "a.png")
    done = cli("train", "--model_name", "vgg_segnet", "--n_classes", 2, "--input_height", 32, "--input_width", 32,
               "--encoder_weights", "random", "--train_images", "images", "--train_annotations", "labels",
               "--train_engine", "cpu", "--distributed", "--num_workers", 2, "--model_dir", "run")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 2 and last.startswith("segnet-hpu: rank 0: labels holds no such file"), done.stderr
    logs = {path.parent.name for path in (tmp_path / "run" / "logs" / "1").rglob("stderr*")}
    assert logs == ({"0", "1"} if torchs else {"rank.0", "rank.1"})
