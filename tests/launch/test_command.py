"""The exact commands that start workers, for every device, on machines made up."""

import dataclasses
import os
import shlex
import sys

import pytest

from segnet_hpu import config
from segnet_hpu.cli import train
from segnet_hpu.errors import UsageError
from segnet_hpu.launch import command as launch
from segnet_hpu.launch.requirements import check_launchable, check_workers
from segnet_hpu.runtime import gaudi, processor
from segnet_hpu.runtime.devices import gpu, hpu
from segnet_hpu.training.settings import Settings

BOUNDS = {"HOROVOD_GLOO_TIMEOUT_SECONDS": "300", "HOROVOD_STALL_CHECK_TIME_SECONDS": "150",
          "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "300"}
AS_X = [word for name, value in BOUNDS.items() for word in ("-x", f"{name}={value}")]


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of two processors with 48 cores each, of two threads, and no card; returns what changes it."""
    def change(cores=96, gpus=0, cards=0):
        monkeypatch.setattr(processor, "cores_by_socket", lambda: [cores // 2] * 2)
        monkeypatch.setattr(processor, "usable_cores", lambda: 2 * cores)
        monkeypatch.setattr(gpu, "cards", lambda: ["GPU"] * gpus)
        monkeypatch.setattr(hpu, "cards", lambda: ["HL-225"] * cards)
        monkeypatch.setattr(gaudi, "installed", lambda backend: cards > 0)
    change()
    return change


def command(settings, environ=None, module=None):
    """(launcher's words, flags of train, variables). module: of Python, that is the launcher."""
    words, variables = launch.command(settings, "run/logs/1", train.pixels_of_a_step(settings), environ or {})
    if module:
        assert words[:3] == [sys.executable, "-m", module]
        start = words.index("-m", 3)
        assert words[start:start + 3] == ["-m", "segnet_hpu", "train"]
        return words[3:start], words[start + 3:], variables
    start = words.index(sys.executable)
    assert words[start:start + 4] == [sys.executable, "-m", "segnet_hpu", "train"]
    return words[:start], words[start + 4:], variables


def test_alone(settings):
    words, flags, variables = command(settings(distributed=False, dry_run=True))
    assert (words, variables) == ([], {}) and "--dry_run=true" not in flags


def test_a_worker_starts_no_workers(settings):
    words, flags, _ = command(settings(num_workers=4), {"HOROVOD_RANK": "1", "HOROVOD_SIZE": "4"})
    assert words == [] and "--num_workers=4" in flags


def test_cpu(settings):
    words, flags, variables = command(settings(num_workers=4, train_engine="cpu"))
    assert words[0].endswith("horovodrun")
    assert words[1:] == ["--gloo", "-np", "4", "--output-filename", "run/logs/1"]
    assert variables == {**BOUNDS, "OMP_NUM_THREADS": "48", "HOROVOD_CYCLE_TIME": "50"} and "--threads=48" in flags


def test_what_the_user_set_of_threads_stands(settings):
    given = settings(num_workers=4, train_engine="cpu", threads=5)
    _, flags, variables = command(given)
    assert variables["OMP_NUM_THREADS"] == "5" and "--threads=5" in flags
    assert "OMP_NUM_THREADS" not in command(given, {"OMP_NUM_THREADS": "7"})[2]
    assert "HOROVOD_CYCLE_TIME" not in command(given, {"HOROVOD_CYCLE_TIME": "3"})[2]


@pytest.mark.parametrize("height, width, batch, milliseconds", [(320, 640, 2, 50), (96, 128, 1, 1), (192, 256, 2, 12),
                                                                (1024, 2048, 8, 50)])
def test_workers_on_the_cpu_talk_the_less_the_longer_their_step_is(settings, height, width, batch, milliseconds):
    given = settings(num_workers=2, train_engine="cpu", input_height=height, input_width=width, batch_size=batch)
    assert command(given)[2]["HOROVOD_CYCLE_TIME"] == str(milliseconds)


def test_more_workers_than_cores(settings, machine):
    machine(cores=1)
    words, flags, _ = command(settings(num_workers=3, train_engine="cpu", launcher="mpirun"))
    assert words[2:5] == ["--bind-to", "none", "--oversubscribe"] and "--threads=1" in flags
    assert "OMPI_MCA_mpi_yield_when_idle=1" in words


def test_gpu(settings, machine):
    machine(gpus=2)
    for engine in ("gpu", "auto"):
        words, flags, variables = command(settings(num_workers=2, train_engine=engine, fault_timeout=7))
        assert words[1:4] == ["--gloo", "-np", "2"] and not [f for f in flags if f.startswith("--threads")]
        assert variables == {"HOROVOD_GLOO_TIMEOUT_SECONDS": "7", "HOROVOD_STALL_CHECK_TIME_SECONDS": "3",
                             "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "7"}


@pytest.mark.parametrize("workers, box, cores, modules", [
    (8, None, 12, None), (4, None, 24, "0,1,2,3"), (2, None, 48, "0,1"), (4, "HLS1-H", 24, None), (1, None, 48, "0")])
def test_hpu(settings, workers, box, cores, modules):
    words, _, variables = command(settings(num_workers=workers, hls_type=box, train_engine="hpu"))
    cards = ["-x", f"HABANA_VISIBLE_MODULES={modules}"] if modules else []
    assert words == ["mpirun", "--allow-run-as-root", "--bind-to", "core", "--map-by", f"socket:PE={cores}", "-np",
                     str(workers), *AS_X, *cards, "--tag-output", "--output-filename", "run/logs/1"]
    assert variables == {}


def test_hpu_on_a_machine_that_only_reads_the_line(settings, machine):
    machine(cores=2)
    words, _, _ = command(settings(num_workers=8, train_engine="hpu"), {"HABANA_VISIBLE_MODULES": "4,5"})
    assert "socket:PE=1" in words and not [word for word in words if word.startswith("HABANA_VISIBLE")]


def test_auto_finds_cards(settings, machine):
    machine(cards=8)
    assert command(settings(num_workers=8))[0][0] == "mpirun"


def test_several_machines(settings):
    given = settings(hosts="a:8,b:8", train_engine="hpu", fault_timeout=40)
    environ = {"PATH": "/bin", "HABANA_LOGS": "/tmp/l", "HOME": "/root", "OMP_NUM_THREADS": "3"}
    words, flags, _ = command(given, environ)
    # A machine that is gone is noticed after 20 seconds of silence and four unanswered calls, 5 seconds apart.
    heartbeat = ["--mca", "oob_tcp_keepalive_time", "20", "--mca", "oob_tcp_keepalive_intvl", "5",
                 "--mca", "oob_tcp_keepalive_probes", "4"]
    assert words[words.index("-np"):][:19] == ["-np", "16", "-H", "a:8,b:8", *heartbeat, "-x", "HABANA_LOGS", "-x",
                                              "OMP_NUM_THREADS", "-x", "PATH"]
    assert "HOME" not in words and "socket:PE=12" in words and "--hosts=a:8,b:8" in flags
    assert command(settings(hosts="a:8,b:8", num_workers=12, train_engine="gpu"))[0][1:6] == \
        ["--gloo", "-np", "12", "-H", "a:8,b:4"]


TORCH = {"KERAS_BACKEND": "torch"}


def test_torch(settings, machine):
    """Nothing of Horovod's; torchrun on this machine, mpirun over several."""
    words, flags, variables = command(settings(num_workers=4, train_engine="cpu"), TORCH, "torch.distributed.run")
    assert words == ["--standalone", "--nproc-per-node", "4", "--redirects", "3", "--tee", "3", "--log-dir",
                     "run/logs/1"]
    assert variables == {"OMP_NUM_THREADS": "48", **launch.TORCHRUNS_OUTPUT} and "--threads=48" in flags
    machine(gpus=2)
    given = settings(num_workers=2, train_engine="gpu")
    assert command(given, TORCH, "torch.distributed.run")[2] == launch.TORCHRUNS_OUTPUT
    words, _, variables = command(settings(hosts="a:2,b:2", train_engine="gpu"), TORCH | {"MASTER_PORT": "7"})
    assert words[0] == "mpirun" and "MASTER_ADDR=a" in words and not [w for w in words if "HOROVOD" in w]
    assert [words[i + 1] for i, word in enumerate(words) if word == "-x"] == ["KERAS_BACKEND", "MASTER_PORT",
                                                                               "MASTER_ADDR=a"]
    assert "MASTER_ADDR=a" not in command(settings(hosts="a:2,b:2"), TORCH | {"MASTER_ADDR": "10.0.0.1"})[0]


@pytest.mark.parametrize("workers, modules", [(8, None), (4, "0,1,2,3")])
def test_torch_on_hpu(settings, workers, modules):
    words, _, variables = command(settings(num_workers=workers, train_engine="hpu"), TORCH)
    cards = ["-x", f"HABANA_VISIBLE_MODULES={modules}"] if modules else []
    assert words == ["mpirun", "--allow-run-as-root", "--bind-to", "core", "--map-by", f"socket:PE={96 // workers}",
                     "-np", str(workers), *cards, "--tag-output", "--output-filename", "run/logs/1"]
    assert variables == {}
    environ = TORCH | {"PT_HPU_LAZY_MODE": "1", "HCCL_OVER_TCP": "1"}
    words = command(settings(hosts="a:8,b:8", train_engine="hpu"), environ)[0]
    assert {"PT_HPU_LAZY_MODE", "HCCL_OVER_TCP", "MASTER_ADDR=a"} <= set(words)


@pytest.mark.parametrize("backend, given, words", [
    ("jax", dict(num_workers=2), "--distributed: on jax one process trains"),
    ("tensorflow", dict(num_workers=2, launcher="torchrun"), "--launcher torchrun starts no workers of the backend"),
    ("torch", dict(num_workers=2, launcher="horovodrun"), "--launcher horovodrun starts no workers of the backend"),
    ("torch", dict(hosts="a:2,b:2", launcher="torchrun"), "--launcher torchrun starts workers on this machine alone"),
    ("torch", dict(num_workers=2, timeline="t.json"), "--timeline is Horovod's"),
    ("torch", dict(min_workers=1, host_discovery_script="hosts.sh"), "--host_discovery_script is Horovod's"),
    ("torch", dict(num_workers=8, train_engine="hpu", launcher="torchrun"), "shared out by mpirun"),
])
def test_what_a_backends_workers_do_not_have_is_refused(settings, monkeypatch, backend, given, words):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(UsageError, match=words):
        check_workers(settings(**given))


def test_torch_needs_no_horovod(settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    check_launchable(settings(num_workers=2, train_engine="cpu"))


def test_timeline(settings):
    where = f"HOROVOD_TIMELINE={os.path.abspath('t.json')}"
    given = dict(num_workers=2, timeline="t.json", train_engine="cpu")
    assert where in launch.line(settings(**given), "logs", 1, {})
    assert where in command(settings(**given, launcher="mpirun"))[0]


def test_horovodrun_takes_none_of_our_flags_for_its_own(settings, monkeypatch):
    horovodrun = pytest.importorskip("horovod.runner.launch", reason="Horovod is not installed")
    given = settings(hosts="a:8,b:8", num_workers=12, train_engine="cpu", timeline="t.json")
    words, _ = launch.command(given, "logs", 1, {"SEGNET_CONFIG": "c.yaml"})  # which has every setting as a flag
    monkeypatch.setattr(sys, "argv", words)
    read = horovodrun.parse_args()
    assert (read.num_proc, read.hosts, read.timeline_filename) == (12, "a:8,b:4", None)
    assert read.command == words[words.index(sys.executable):] and len(read.command) > 50


def test_elastic(settings, program):
    script = program("hosts.sh", "echo localhost:2; echo 127.0.0.1:1") / "hosts.sh"
    given = dict(min_workers=2, max_workers=3, host_discovery_script=str(script), train_engine="cpu")
    assert command(settings(**given))[0][1:] == [
        "--gloo", "-np", "2", "--min-np", "2", "--max-np", "3", "--host-discovery-script", str(script),
        "--network-interfaces", "lo", "--output-filename", "run/logs/1"]
    program("hosts.sh", "echo localhost:2; echo other:1")
    assert "--network-interfaces" not in command(settings(**given))[0]
    program("hosts.sh", "exit 3")
    with pytest.raises(UsageError, match="hosts.sh.*exit status 3"):
        command(settings(**given))


def test_line_is_for_a_shell(settings):
    given = settings(num_workers=2, train_engine="cpu", train_images="my images")
    words, variables = launch.command(given, "my run/logs/1", 1, {})
    line = launch.line(given, "my run/logs/1", 1, {})
    assert shlex.split(line) == [f"{k}={v}" for k, v in variables.items()] + words


def test_workers_get_the_settings_whatever_yaml_and_variables_they_find(settings, tmp_path):
    (tmp_path / "c.yaml").write_text("epochs: 7\nbatch_size: 3\n")
    environ = {"SEGNET_CONFIG": str(tmp_path / "c.yaml"), "SEGNET_SEED": "9", "NUM_WORKERS": "8"}
    given = settings(num_workers=2, train_engine="cpu", threads=1, batch_size=2, seed=0)
    flags = command(given, environ)[1]
    found = config.read(Settings, flags, prog="train", environ=environ)
    assert dataclasses.replace(found, config=None) == given


@pytest.mark.parametrize("here, given, words", [
    (dict(gpus=2), dict(num_workers=4, train_engine="gpu"), "this machine has 2 GPUs"),
    (dict(cards=4), dict(num_workers=8, train_engine="hpu"), "this machine has 4 Gaudi cards"),
    (dict(cards=8), dict(num_workers=3), "3 workers on localhost: a Gaudi box runs"),
    (dict(), dict(num_workers=2, train_engine="cpu", launcher="mpirun"), "there is no mpirun"),
])
def test_machine_that_lacks_something(settings, machine, monkeypatch, program, here, given, words):
    machine(**here)
    folder = program("mpirun" if "mpirun" not in words else "other", "exit 0")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    with pytest.raises(UsageError) as refused:
        check_launchable(settings(**given))
    assert words in str(refused.value)


def test_missing_horovod_names_the_script(settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="run_scripts/install_horovod.sh cpu$"):
        check_launchable(settings(num_workers=2, train_engine="cpu"))


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_workers_show_where_when_asked_to(tmp_path, settings, monkeypatch, debug):
    started = []
    monkeypatch.setattr(train, "check_launchable", lambda settings: None)
    monkeypatch.setattr(train, "supervise", lambda words, *_, **__: started.append(words))
    monkeypatch.setattr(sys, "argv", ["segnet-hpu", "train", *debug])
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    train.run(settings(num_workers=2, train_engine="cpu", train_images=str(tmp_path / "images"),
                       train_annotations=str(tmp_path / "labels"), model_dir=str(tmp_path / "run")))
    assert [word for word in started[0] if word == "--debug"] == debug
