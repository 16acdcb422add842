"""torchrun as its users start it: what it starts anew goes on from the last checkpoint."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ranks import ON_TORCH

from runs import contents, flags, newest, rows

pytestmark = [pytest.mark.skipif(not ON_TORCH, reason="torchrun's workers are those of the torch backend"),
              pytest.mark.skipif(not os.environ.get("SEGNET_TEST_ALL"), reason="SEGNET_TEST_ALL=1 kills them too")]

# `train`, of which rank 1 is killed after a step of the whole run where torchrun has started it for the first time.
WORKER = """
import functools, os, signal, sys
import keras
from runs import small
from segnet_hpu import cli
from segnet_hpu.training import run as training

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.optimizer._iterations)
        if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"], step) == ("1", "0", int(sys.argv[1])):
            os.kill(os.getpid(), signal.SIGKILL)

keras.utils.set_random_seed(0)
training.train = functools.partial(training.train, model=small(), callbacks=[Kill()])
sys.exit(cli.main(["train", *sys.argv[2:]]))
"""


def torchrun(folder, kill_at, *settings):
    """Train in `folder` on two ranks, of which one is killed after a step."""
    folder.mkdir()
    (folder / "worker.py").write_text(WORKER)
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here), str(here.parent), str(here.parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
                           "--max-restarts", "1", "worker.py", str(kill_at), *settings], cwd=folder, text=True,
                          capture_output=True, timeout=300, env=os.environ | {"PYTHONPATH": path})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_restart_goes_on_to_the_same_end(tmp_path, data):
    settings = flags(**data, epochs=2, batch_size=1, save_steps=2, optimizer_name="adam", do_augment=True, threads=1,
                     val_pictures=0, auto_resume_checkpoint=True)
    assert "going on at step 6 (epoch 2)" in torchrun(tmp_path / "killed", 7, *settings)
    assert "going on" not in torchrun(tmp_path / "whole", 99, *settings)
    ours, theirs = (contents(newest(tmp_path / name / "run")) for name in ("killed", "whole"))
    assert ours.keys() == theirs.keys() and all((ours[name] == theirs[name]).all() for name in ours)
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
