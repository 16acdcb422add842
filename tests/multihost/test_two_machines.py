"""Training over a list of machines with ssh: two of them, one worker on each."""

import csv
import os
import shutil
import signal
import time
import zipfile

import pytest

HOSTS = "node-a:1,node-b:1"
# vgg_segnet's trained numbers at three classes, float32.
GRADIENT_BYTES = 4 * 11_547_459


def test_the_machines_share_no_address(nodes):
    addresses = [set(node.do("hostname", "-I").split()) for node in nodes]
    assert [node.do("hostname").strip() for node in nodes] == ["node-a", "node-b"]
    assert all(node.address in own for node, own in zip(nodes, addresses, strict=True))
    assert not addresses[0] & addresses[1]
    spaces = {os.readlink(f"/proc/{pid}/ns/net") for pid in ("self", *(node.first for node in nodes))}
    assert len(spaces) == 3


def needs(launcher):
    if launcher == "horovodrun" and os.environ["KERAS_BACKEND"] == "torch":
        pytest.skip("torch's workers are started by mpirun")
    if launcher == "mpirun" and not shutil.which("mpirun"):
        pytest.skip("there is no mpirun; Debian's openmpi-bin has it")


@pytest.mark.parametrize("launcher", ["horovodrun", "mpirun"])
def test_a_run_over_two_machines(nodes, train, tmp_path, launcher):
    needs(launcher)
    before = [node.sent() for node in nodes]
    process = train(hosts=HOSTS, launcher=launcher, model_dir=tmp_path / "run", epochs=1)
    line = next((line for line in process.stdout if "vgg_segnet" in line), "")
    ranks = [set(node.ranks()) for node in nodes]
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "2 on each of 2 workers" in line
    assert ranks == [{0}, {1}]
    # Two ranks exchange all gradients once a step, whatever the way; the weights go out from rank 0 besides.
    for node, bytes_before in zip(nodes, before, strict=True):
        assert node.sent() - bytes_before > 2 * GRADIENT_BYTES, node.name
    assert_whole(tmp_path / "run", epochs=1)


def assert_whole(run, epochs):
    with open(run / "metrics.csv") as file:
        assert len(list(csv.DictReader(file))) == epochs
    for checkpoint in run.glob("checkpoints/*.keras"):
        assert zipfile.ZipFile(checkpoint).testzip() is None
    assert (run / f"checkpoints/vgg_segnet.{epochs}.keras").exists()


def kill(a, b):
    for pid in b.ranks()[1]:
        os.kill(pid, signal.SIGKILL)


def cut(a, b):
    a.do("ip", "link", "set", "eth0", "down")


@pytest.fixture
def mended(nodes):
    yield
    nodes[0].do("ip", "link", "set", "eth0", "up")


@pytest.mark.parametrize("fault, launcher, words", [
    (kill, "horovodrun", "rank 1 "), (cut, "horovodrun", "rank 1 "),
    (cut, "mpirun", "the connection to node-b and its workers was lost")])
def test_a_lost_worker_ends_the_run_and_is_named(nodes, train, tmp_path, mended, fault, launcher, words):
    needs(launcher)
    process = train(hosts=HOSTS, launcher=launcher, model_dir=tmp_path / "run", epochs=10_000,
                    fault_timeout=15, keep_checkpoints=1)
    assert any(line.startswith("epoch 1/") for line in process.stdout), process.stderr.read()
    fault(*nodes)
    _, err = process.communicate(timeout=60)
    last = err.splitlines()[-1]
    assert process.returncode == 1 and last.startswith(f"segnet-hpu: {words}"), err
    assert "--auto_resume_checkpoint" in last
    assert left_over(nodes, 40) == [{}, {}]
    checkpoint, = [p for p in (tmp_path / "run/checkpoints").glob("*.keras") if ".best." not in p.name]
    assert zipfile.ZipFile(checkpoint).testzip() is None


def left_over(nodes, seconds):
    """The ranks that are still there after so many seconds at the most."""
    end = time.monotonic() + seconds
    while any(found := [node.ranks() for node in nodes]) and time.monotonic() < end:
        pass
    return found


@pytest.mark.parametrize("launcher", ["horovodrun", "mpirun"])
def test_a_machine_that_ssh_does_not_reach(nodes, train, tmp_path, launcher):
    needs(launcher)
    process = train(hosts="node-a:1,node-c:1", launcher=launcher, model_dir=tmp_path / "run")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and err.count("\n") == 1
    assert err.startswith(f"segnet-hpu: {launcher} ended with status ")
    assert "ssh: Could not resolve hostname node-c" in err
