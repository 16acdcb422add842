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
from segnet_hpu.runtime.ranks.master import find_master
from segnet_hpu.runtime.worker import Place, place

HOROVODRUN = {"HOROVOD_RANK": "3", "HOROVOD_SIZE": "4", "HOROVOD_LOCAL_RANK": "1", "HOROVOD_LOCAL_SIZE": "2"}
MPIRUN = {"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_LOCAL_RANK": "0",
          "OMPI_COMM_WORLD_LOCAL_SIZE": "1"}
SRUN = {"SLURM_PROCID": "5", "SLURM_STEP_NUM_TASKS": "6", "SLURM_LOCALID": "2", "SLURM_STEP_TASKS_PER_NODE": "3(x2)"}
BATCH_SCRIPT = {"SLURM_PROCID": "0", "SLURM_NTASKS": "8", "SLURM_LOCALID": "0"}
OPERATOR = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "pod-0", "MASTER_PORT": "23456"}
TORCHRUN = {"RANK": "2", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "a",
            "MASTER_PORT": "29500", "TORCHELASTIC_RUN_ID": "none"}
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
    (TORCHRUN, False, Place(2, 4, 0, 2, "torchrun")),
    ({**TORCHRUN, **MPIRUN, **SRUN}, True, Place(2, 4, 0, 2, "torchrun")),  # mpirun or srun started a torchrun each
    (OPERATOR, False, Place(1, 2, 0, 1, "environment")),
    ({**OPERATOR, **MPIRUN}, False, Place(0, 1, 0, 1, "mpirun")),
    ({**OPERATOR, **SRUN}, True, Place(5, 6, 2, 3, "srun")),
    ({"RANK": "0", "WORLD_SIZE": "1"}, False, None),
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


@pytest.mark.parametrize("backend, environ, words", [
    ("tensorflow", TORCHRUN, "torchrun started 4 workers, which the backend tensorflow cannot join"),
    ("tensorflow", OPERATOR, "RANK and WORLD_SIZE tell of 2 workers"),
    ("torch", HOROVODRUN, "horovodrun started 4 workers, which the backend torch cannot join"),
    ("jax", TORCHRUN, "torchrun started 4 workers, but on jax one process trains"),
    ("jax", HOROVODRUN, "on jax one process trains"),
])
def test_a_launcher_that_the_backend_cannot_join_is_refused(cli, tmp_path, backend, environ, words):
    """Before anything is written: each worker would train alone."""
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    before = sorted(tmp_path.rglob("*"))
    done = cli("train", "--model_name", "unet_mini", "--n_classes", 2, "--train_images", "images",
               "--train_annotations", "labels", "--model_dir", "run", env=environ | {"KERAS_BACKEND": backend})
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


MPI_JOB = {"PMIX_NAMESPACE": "562495489"}
SLURM_JOB = {"SLURM_JOB_ID": "77", "SLURM_STEP_ID": "0", "SLURM_STEP_NODELIST": "gpu[07-09,12],cpu1"}


def master(place, environ):
    """(MASTER_ADDR, MASTER_PORT) that a worker finds."""
    environ = dict(environ)
    find_master(place, environ)
    return environ["MASTER_ADDR"], int(environ["MASTER_PORT"])


def test_workers_of_one_job_find_each_other_and_no_other_job():
    here, slurm = Place(0, 2, 0, 2, "mpirun"), Place(5, 6, 2, 3, "srun")
    address, port = master(here, MPI_JOB)
    assert address == "127.0.0.1" and 20_000 <= port < 30_000
    assert master(Place(1, 2, 1, 2, "mpirun"), MPI_JOB) == (address, port)
    assert master(here, {"PMIX_NAMESPACE": "562495490"}) != (address, port)
    assert master(slurm, SLURM_JOB)[0] == "gpu07"
    assert master(slurm, SLURM_JOB | {"SLURM_STEP_NODELIST": "a-1,gpu[07-09]"})[0] == "a-1"
    assert master(slurm, SLURM_JOB) != master(slurm, SLURM_JOB | {"SLURM_STEP_ID": "1"})
    assert master(slurm, SLURM_JOB | {"MASTER_ADDR": "b", "MASTER_PORT": "7"}) == ("b", 7)


@pytest.mark.parametrize("place, environ, words", [
    (Place(0, 2, 0, 1, "environment"), {}, "nothing says where rank 0 is; expected MASTER_ADDR"),
    (Place(0, 2, 0, 2, "environment"), {}, "unset RANK and WORLD_SIZE to train alone"),
    (Place(0, 2, 0, 1, "mpirun"), MPI_JOB, "MASTER_ADDR"),  # on two machines
    (Place(0, 2, 0, 2, "pmi"), {}, "MASTER_ADDR"),
    (Place(0, 2, 0, 2, "pmi"), {"MASTER_ADDR": "a"}, "MASTER_PORT"),
    (Place(0, 2, 0, 2, "mpirun"), {}, "MASTER_PORT"),
])
def test_workers_that_cannot_tell_each_other_are_refused(place, environ, words):
    with pytest.raises(UsageError, match=words):
        find_master(place, dict(environ))


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
