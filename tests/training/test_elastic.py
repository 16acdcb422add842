"""Elastic training: a worker is killed, another one joins, and the result is that of a run with neither."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ranks import needs_horovod

from runs import HERE, ROOT, contents, flags, newest, plain, rows, run

pytestmark = needs_horovod


def third_name():
    """Another name of this machine than localhost and 127.0.0.1: to Horovod, another host."""
    name = socket.gethostname()
    try:
        socket.gethostbyname(name)
    except OSError:
        pytest.skip(f"this machine's name, {name}, has no address")
    return name


def seen(folder, host):
    """[(step, rank, size)] as the worker on a host saw them."""
    return [tuple(map(int, line.split())) for line in (folder / f"seen.{host}").read_text().splitlines()]


def test_a_worker_is_killed_another_joins_and_nothing_is_lost(tmp_path, data):
    settings = data | dict(epochs=10, optimizer_name="sgd", learning_rate=0.05, do_augment=True, val_pictures=0,
                           lr_schedule="cosine")
    (tmp_path / "one").mkdir()
    status, _, err = run(tmp_path / "one", *flags(**settings, batch_size=4), model=plain)
    assert status == 0, err

    folder, name = tmp_path / "many", third_name()
    folder.mkdir()
    (folder / "hosts.txt").write_text("localhost:1\n127.0.0.1:1\n")
    script = folder / "discover.sh"
    script.write_text(f"#!/bin/sh\ncat {folder}/hosts.txt\n")
    script.chmod(0o755)
    launcher = [str(Path(sys.executable).with_name("horovodrun")), "--gloo", "-np", "2", "--min-np", "1",
                "--max-np", "2", "--host-discovery-script", str(script), "--network-interfaces", "lo"]
    workers = [sys.executable, str(HERE / "elastic_worker.py"), name,
               *flags(**settings, batch_size=2, distributed=True, num_workers=2, min_workers=1, commit_steps=2,
                      host_discovery_script=script)]
    done = subprocess.run(launcher + workers, cwd=folder, capture_output=True, text=True, timeout=240,
                          env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"})
    assert done.returncode == 0, done.stdout + done.stderr

    stayed = seen(folder, "localhost")
    sizes = [size for _, _, size in stayed]
    # Two, then one, which goes back from step 7 to the commit of step 6, then two again to the end.
    assert sizes[:7] == [2] * 7 and sizes[7] == 1 and sizes[-1] == 2
    assert seen(folder, "127.0.0.1")[-1][::2] == (7, 2)
    assert [step for step, *_ in stayed][6:9] == [7, 7, 8]
    joined = seen(folder, name)
    assert joined[0][0] == 15 and joined[-1][0] == stayed[-1][0] == 30
    # And yet every weight and every record is as if one process had done it all.
    ours, theirs = (contents(newest(tmp_path / part / "run")) for part in ("many", "one"))
    for key in theirs:
        np.testing.assert_allclose(ours[key], theirs[key], rtol=1e-4, atol=1e-5, err_msg=key)
    for column in ("loss", "accuracy", "val_mean_iou", "learning_rate"):
        one, many = ([float(row[column]) for row in rows(tmp_path / part)] for part in ("one", "many"))
        np.testing.assert_allclose(many, one, rtol=1e-4)
