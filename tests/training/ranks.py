"""The ranks of one training run, as forked processes that meet over Gloo: Horovod's, or on torch its own."""

import contextlib
import importlib.util
import socket

import keras
import pytest

from runs import start
from segnet_hpu.runtime.worker import place

ON_TORCH = keras.config.backend() == "torch"
needs_horovod = pytest.mark.skipif(ON_TORCH or importlib.util.find_spec("horovod") is None,
                                   reason="not Horovod's backend, or it is not installed: "
                                          "run_scripts/install_horovod.sh")
needs_several = pytest.mark.skipif(not ON_TORCH and (keras.config.backend() != "tensorflow" or
                                                     importlib.util.find_spec("horovod") is None),
                                   reason="Horovod is not installed: run_scripts/install_horovod.sh")


def this_rank():
    """The rank of the process that asks; 0 where it is alone."""
    found = place()
    return found.rank if found else 0


@contextlib.contextmanager
def rendezvous(size):
    """Yield the environments of `size` ranks on this machine."""
    with (torchs_rendezvous if ON_TORCH else horovods_rendezvous)(size) as environments:
        yield environments


@contextlib.contextmanager
def torchs_rendezvous(size):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield [dict(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank), LOCAL_WORLD_SIZE=str(size),
                MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)) for rank in range(size)]


@contextlib.contextmanager
def horovods_rendezvous(size):
    from horovod.runner.common.util.hosts import get_host_assignments, parse_hosts
    from horovod.runner.http.http_server import RendezvousServer

    server = RendezvousServer(verbose=0)
    port = server.start()
    server.init(get_host_assignments(parse_hosts(f"localhost:{size}"), size))
    common = dict(HOROVOD_SIZE=size, HOROVOD_LOCAL_SIZE=size, HOROVOD_CROSS_RANK=0, HOROVOD_CROSS_SIZE=1,
                  HOROVOD_HOSTNAME="localhost", HOROVOD_CONTROLLER="gloo", HOROVOD_CPU_OPERATIONS="gloo",
                  HOROVOD_GLOO_IFACE="lo", HOROVOD_GLOO_RENDEZVOUS_ADDR="127.0.0.1",
                  HOROVOD_GLOO_RENDEZVOUS_PORT=port, HOROVOD_GLOO_TIMEOUT_SECONDS=30)
    try:
        yield [{name: str(value) for name, value in (common | dict(HOROVOD_RANK=r, HOROVOD_LOCAL_RANK=r)).items()}
               for r in range(size)]
    finally:
        server.stop()


def run_ranks(size, folder, *argv, patch=None, **options):
    """Run `train ARGV...` on `size` ranks in `folder`; return a list of (status, stdout, stderr) by rank.

    options, patch: as those of runs.run; patch may be a function, or one for each rank.
    """
    patches = patch if isinstance(patch, list) else [patch] * size
    with rendezvous(size) as environments:
        processes = [start(folder, argv, rank=rank, env=env, patch=patches[rank], **options)
                     for rank, env in enumerate(environments)]
        try:
            for process in processes:
                process.join(120)
        finally:
            for process in processes:
                process.kill()
    return [(process.exitcode, *((folder / f"{stream}{rank or ''}.txt").read_text() for stream in ("out", "err")))
            for rank, process in enumerate(processes)]
