"""Which rank is called the cause, from launchers' words as they come."""

import pytest

from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.launch.failures import WorkerReports

ENDING = "Terminating remaining workers after failure of Process 0.\n"


def judged(*lines, status=1, hung=()):
    """(error, what is shown of the workers' output)."""
    reports = WorkerReports(hung=list(hung))
    shown = [said for line in lines for said in reports.hear(line)]
    return reports.failure(status, "horovodrun", "logs/1", 60), shown


def test_lines_that_mpirun_cuts():
    _, shown = judged("[1,1]<stdout>:wor[1,0]<stdout>:worker 0\n", "[1,1]<stdout>:ker 1\n", "[1,0]<stderr>:\n")
    assert shown == [(0, "stdout", "worker 0\n"), (1, "stdout", "worker 1\n"), (0, "stderr", "\n")]
    error, shown = judged("[1,0]<stderr>:segnet-hpu: a is bro[1,1]<stderr>:hm\n", "[1,0]<stderr>:ken\n", status=2)
    assert shown == [(1, "stderr", "hm\n")] and isinstance(error, UsageError) and str(error) == "rank 0: a is broken"


@pytest.mark.parametrize("lines, kind, words", [
    # the cause may speak after those that suffer from it
    (["[0]<stderr>:segnet-hpu: lost another worker: x\n", "Process 0 exit with status code 1.\n", ENDING,
      "[1]<stderr>:segnet-hpu: the disk is full\n"], RunError, "rank 1: the disk is full"),
    # stopped by the launcher, because rank 1 had ended
    (["Process 1 exit with status code 139.\n", ENDING, "[0]<stderr>:segnet-hpu: stopped in epoch 1\n",
      "Process 0 exit with status code 143.\n"], RunError, "rank 1 was ended by signal 11 (SIGSEGV)"),
    # killed by the launcher, as it did not heed SIGTERM
    (["[0]<stderr>:segnet-hpu: lost another worker: x\n", "Process 0 exit with status code 1.\n", ENDING,
      "Process 2 exit with status code 137.\n"], RunError, "rank 2 did not answer within --fault_timeout, 60 s"),
    # named by Horovod
    (["[0]<stderr>:Missing ranks:\n", "[0]<stderr>:3!: [HorovodAllreduce]\n", "Process 0 exit with status code 1.\n",
      "[0]<stderr>:segnet-hpu: UnknownError: Horovod has been shut down\n"], RunError, "rank 3 did not answer"),
    # mpirun's words
    (["mpirun noticed that process rank 1 with PID 17 on node vm exited on signal 9 (Killed).\n"], RunError,
     "rank 1 was ended by signal 9 (SIGKILL, perhaps for lack of memory)"),
    (["  Process name: [[4711,1],3]\n", "  Exit code:    7\n"], RunError, "rank 3 ended with status 7"),
    # torchrun's; it has stopped rank 0 by then
    (["[0]<>:segnet-hpu: stopped in epoch 1\n", "W1128 07:00:00 17 api.py:1028] Sending process 18 closing signal "
      "SIGTERM\n", "E1128 07:00:00 17 api.py:1002] failed (exitcode: -9) local_rank: 1 (pid: 19) of binary: python\n",
      "ChildFailedError:\n"], RunError, "rank 1 was ended by signal 9 (SIGKILL, perhaps for lack of memory)"),
    (["E1128 07:00:00 17 api.py:1002] failed (exitcode: 7) local_rank: 1 (pid: 19) of binary: python\n"], RunError,
     "rank 1 ended with status 7"),
    # nothing of any worker
    (["ssh: no such host\n", "-----\n"], RunError, "horovodrun ended with status 1: ssh: no such host"),
])
def test_cause(lines, kind, words):
    error, _ = judged(*lines)
    assert type(error) is kind and str(error).startswith(words)


def test_one_that_stood_still_before_it_was_killed_is_called_hung():
    lines = ("[0]<stderr>:segnet-hpu: lost another worker: x\n", "Process 1 exit with status code 137.\n", ENDING)
    error, _ = judged(*lines, hung=[1])
    assert str(error).startswith("rank 1 did not answer within --fault_timeout, 60 s: it hung, and was stopped")
    assert "memory" not in str(error) and "memory" in str(judged(*lines)[0])
    # One that ended by itself is the cause.
    assert str(judged("Process 2 exit with status code 3.\n", *lines, hung=[1])[0]).startswith("rank 2 ended with")


def test_the_same_fault_of_all_is_nobodys():
    error, _ = judged(*(f"[{rank}]<stderr>:segnet-hpu: no such folder\n" for rank in range(3)), status=2)
    assert str(error) == "no such folder"


def test_lines_of_torchrun_are_of_the_stream_that_they_came_by():
    reports = WorkerReports()
    lines = (("[1]<>:epo[0]<>:a\n", "stdout"), ("[1]<>:slow\n", "stderr"), ("[1]<>:ch 1\n", "stdout"))
    shown = [said for text, stream in lines for said in reports.hear(text, stream)]
    assert shown == [(0, "stdout", "a\n"), (1, "stderr", "slow\n"), (1, "stdout", "epoch 1\n")]
    assert not list(reports.hear("[1]<>:segnet-hpu: a.png is broken\n", "stderr"))
    assert reports.errors == {1: "a.png is broken"}


def test_warnings_are_shown():
    assert judged("[1]<stderr>:segnet-hpu: warning: slow\n")[1] == [(1, "stderr", "segnet-hpu: warning: slow\n")]
