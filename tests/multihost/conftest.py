"""Two machines made of namespaces: each has its own network, processes, name and sshd, and no loopback in common."""

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from segnet_hpu.runtime.worker import end_with_parent
from toy import write_toy

ROOT = Path(__file__).resolve().parents[2]
ADDRESSES = {"node-a": "10.213.7.1", "node-b": "10.213.7.2"}

# What a machine's first process does. The system's files are covered within its own mount namespace only.
BOOT = """
hostname {name} && ip link set lo up && mount --bind {folder}/hosts /etc/hosts &&
mount --bind {folder}/ssh_config /etc/ssh/ssh_config && mount -t tmpfs none /run && mkdir /run/sshd || exit 1
/usr/sbin/sshd -D -f {folder}/sshd_config -E {folder}/sshd-{name}.log &
echo up
wait
"""
SSHD = """
HostKey {folder}/key
AuthorizedKeysFile {folder}/key.pub
StrictModes no
PidFile none
"""
SSH = """
IdentityFile {folder}/key
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
ConnectionAttempts 5
LogLevel ERROR
"""


class Node:
    """One machine, which lives as long as its first process."""

    def __init__(self, name, folder):
        self.name, self.address = name, ADDRESSES[name]
        # All its processes end with the first; that one ends with `unshare`, which ends with us.
        self._unshare = subprocess.Popen(
            ["unshare", "--net", "--pid", "--uts", "--mount", "--fork", "--kill-child", "--mount-proc",
             "sh", "-c", BOOT.format(name=name, folder=folder)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=end_with_parent)
        if self._unshare.stdout.readline() != "up\n":
            pytest.skip(f"namespaces are not allowed here: {self._unshare.communicate()[1].strip()}")
        self.first = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().strip()

    def inside(self, *command):
        """The command that runs a command on this machine."""
        return ["nsenter", "--target", self.first, "--net", "--pid", "--uts", "--mount", *map(str, command)]

    def do(self, *command):
        return subprocess.run(self.inside(*command), check=True, capture_output=True, text=True).stdout

    def ranks(self):
        """{rank: pids} of the processes on this machine that carry a rank in their environment."""
        space, found = os.readlink(f"/proc/{self.first}/ns/pid"), {}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(process / "ns/pid") == space:
                    for entry in (process / "environ").read_bytes().decode().split("\0"):
                        name, _, value = entry.partition("=")
                        if name in ("HOROVOD_RANK", "OMPI_COMM_WORLD_RANK"):
                            found.setdefault(int(value), []).append(int(process.name))
        return found

    def sent(self):
        """Bytes that have left by the network."""
        return json.loads(self.do("ip", "-json", "-stats", "link", "show", "eth0"))[0]["stats64"]["tx"]["bytes"]

    def shut_down(self):
        self._unshare.kill()
        self._unshare.communicate()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """(node-a, node-b), joined by one cable. Skips where that cannot be had."""
    if os.environ["KERAS_BACKEND"] == "tensorflow" and importlib.util.find_spec("horovod") is None:
        pytest.skip("Horovod is not installed: run_scripts/install_horovod.sh")
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("ssh", "openssh-client"),
                             ("/usr/sbin/sshd", "openssh-server")):
        if not shutil.which(program):
            pytest.skip(f"there is no {program}; Debian's {package} has it")
    if os.geteuid():
        pytest.skip("only root may make network namespaces")
    folder = tmp_path_factory.mktemp("nodes")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    (folder / "sshd_config").write_text(SSHD.format(folder=folder))
    (folder / "ssh_config").write_text(SSH.format(folder=folder))
    (folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{a} {n}\n" for n, a in ADDRESSES.items()))
    with contextlib.ExitStack() as stack:
        found = []
        for name in ADDRESSES:
            found.append(Node(name, folder))
            stack.callback(found[-1].shut_down)
        a, b = found
        subprocess.run(["ip", "link", "add", "eth0", "netns", a.first, "type", "veth",
                        "peer", "name", "eth0", "netns", b.first], check=True)
        for node in found:
            node.do("ip", "address", "add", f"{node.address}/24", "dev", "eth0")
            node.do("ip", "link", "set", "eth0", "up")
        yield a, b


@pytest.fixture(scope="module")
def train(nodes, tmp_path_factory):
    """Start `train FLAGS...` on node-a, on a small data set, as a user logged in there would; returns its process."""
    folder = tmp_path_factory.mktemp("toy")
    images, labels = write_toy(folder / "train", 8)
    common = dict(distributed=True, train_images=images, train_annotations=labels, n_classes=3, input_height=32,
                  input_width=48, model_name="vgg_segnet", encoder_weights="random", train_engine="cpu",
                  val_pictures=0, batch_size=2)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}

    def start(**settings):
        flags = [f"--{name}={value}" for name, value in (common | settings).items()]
        return subprocess.Popen(nodes[0].inside(sys.executable, "-m", "segnet_hpu", "train", *flags), text=True,
                                cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    return start
