"""A worker of test_elastic.py: the command line `train` with a small model and a callback that causes the changes.

The worker on host 127.0.0.1 kills itself after step 7. The one that is left adds a third host after step 13, and
waits there until Horovod has told it so.
"""

import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path

import horovod.tensorflow as hvd
import keras

from runs import plain
from segnet_hpu import cli
from segnet_hpu.runtime.device import select_device
from segnet_hpu.runtime.ranks import elastic
from segnet_hpu.training import run as training

TOLD = threading.Event()


class Told(elastic.Committed):
    def on_hosts_updated(self, *update):
        super().on_hosts_updated(*update)
        TOLD.set()


class Changes(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.optimizer._iterations)
        with open(f"seen.{os.environ['HOROVOD_HOSTNAME']}", "a") as file:
            print(step, hvd.rank(), hvd.size(), file=file)
        if step == 7 and os.environ["HOROVOD_HOSTNAME"] == "127.0.0.1":
            os.kill(os.getpid(), signal.SIGKILL)
        hosts = Path("hosts.txt")
        if step == 13 and os.environ["HOROVOD_HOSTNAME"] == "localhost" and sys.argv[1] not in hosts.read_text():
            TOLD.clear()
            hosts.write_text(f"localhost:1\n{sys.argv[1]}:1\n")
            TOLD.wait(60)


if __name__ == "__main__":
    elastic.Committed = Told
    select_device("cpu")
    keras.utils.set_random_seed(0)
    training.train = partial(training.train, model=plain(), callbacks=[Changes()])
    sys.exit(cli.main(["train", *sys.argv[2:]]))
