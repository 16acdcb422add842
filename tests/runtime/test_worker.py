"""What a worker finds out and does for itself."""

import json
import os
import signal
import subprocess
import sys

import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.launch.command import is_worker
from segnet_hpu.runtime import processor
from segnet_hpu.runtime.ranks import join
from segnet_hpu.runtime.worker import Place, place

HOROVODRUN = {"HOROVOD_RANK": "3", "HOROVOD_SIZE": "4", "HOROVOD_LOCAL_RANK": "1", "HOROVOD_LOCAL_SIZE": "2"}
MPIRUN = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
          "OMPI_COMM_WORLD_LOCAL_SIZE": "1"}
SRUN = {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "6", "SLURM_LOCALID": "2", "SLURM_STEP_TASKS_PER_NODE": "3(x2)"}
BATCH_SCRIPT = {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_LOCALID": "0"}
PMI = {"PMI_RANK": "1", "PMI_SIZE": "2"}


@pytest.mark.parametrize("environ, distributed, found", [
    ({}, True, None),
    (HOROVODRUN, False, Place(3, 4, 1, 2, "horovodrun")),
    (MPIRUN, False, Place(0, 1, 0, 1, "mpirun")),
    (SRUN, True, Place(5, 6, 2, 3, "srun")),
    (SRUN, False, None),
    (BATCH_SCRIPT, True, None),  # it is to start the workers itself
    (PMI, True, Place(1, 2, 0, 1, "pmi")),
    ({**SRUN, **HOROVODRUN}, True, Place(3, 4, 1, 2, "horovodrun")),  # horovodrun within a job
    ({"HOROVOD_RANK": "0"}, True, None),
])
def test_place(environ, distributed, found):
    assert place(distributed, environ) == found


def test_is_worker(settings):
    assert is_worker(environ=HOROVODRUN) and is_worker(settings(), MPIRUN) and not is_worker(environ={})
    assert is_worker(settings(), SRUN) and not is_worker(settings(distributed=False), SRUN)
    assert not is_worker(environ=SRUN)
    assert is_worker(settings(kubernetes_run=True), {}) and not is_worker(settings(), {})


def test_an_operators_worker_that_cannot_be_told_does_not_train_alone(settings):
    with pytest.raises(UsageError, match="--kubernetes_run: no variable"):
        join(settings(kubernetes_run=True))
    assert join(settings(distributed=False)).size == 1


def test_cores_of_each_processor(tmp_path, monkeypatch):
    """Two processors of two cores with two threads each; this process may run on all but one core."""
    (tmp_path / "cpuinfo").write_text("\n\n".join(
        f"processor\t: {i}\nphysical id\t: {i % 4 // 2}\ncore id\t: {i % 2}" for i in range(8)))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 4, 5, 6})
    assert processor.cores_by_socket(tmp_path / "cpuinfo") == [2, 1]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pin_deals_out_all_cores(python, size):
    code = "import json, os; from segnet_hpu.runtime.worker import pin; own = pin({}, {}); " \
           "assert own == sorted(os.sched_getaffinity(0)); print(json.dumps(own))"
    usable = sorted(os.sched_getaffinity(0))
    shares = [python(code.format(rank, size)) for rank in range(size)]
    assert {len(share) for share in shares} == {max(1, len(usable) // size)}
    together = {core for share in shares for core in share}
    assert together == set(usable[:len(together)])
    assert len(together) == min(len(usable), size * len(shares[0])), "a core is idle while others are shared"


def test_worker_ends_with_its_launcher(tmp_path):
    """A launcher that is killed takes its worker with it, though the worker ignores SIGTERM and SIGHUP."""
    worker = ("import signal, sys; [signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGHUP)];"
              "from segnet_hpu.runtime.worker import end_with_parent; end_with_parent();"
              "print('[' + str(__import__('os').getpid()) + ']', flush=True); signal.pause()")
    launcher = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    process = subprocess.Popen([sys.executable, "-c", launcher], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONPATH": os.getcwd()})
    [pid] = json.loads(process.stdout.readline())
    os.kill(pid, signal.SIGTERM)
    os.kill(pid, 0)  # still there
    process.kill()
    assert process.stdout.read() == ""  # the pipe closes when the worker, too, is gone
