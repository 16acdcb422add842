"""A rank that dies or cannot go on ends the whole run; checkpoints stay whole, and a resumed run loses nothing."""

import os
import random
import signal
from pathlib import Path

import keras
import numpy as np
from ranks import needs_several, run_ranks, this_rank

from runs import contents, flags, newest, rows, small

pytestmark = needs_several

SETTINGS = dict(epochs=4, batch_size=1, save_steps=2, learning_rate=0.01, optimizer_name="adam", do_augment=True,
                val_pictures=0, ema=0.9, auto_resume_checkpoint=True)
STEPS = 20  # ten images by two ranks, four epochs


class KillOne(keras.callbacks.Callback):
    """Kills one rank after a step of the whole run."""

    def __init__(self, rank, step):
        super().__init__()
        self.rank, self.step = rank, step

    def on_train_batch_end(self, batch, logs=None):
        if self.step == int(self.model.optimizer._iterations) and this_rank() == self.rank:
            os.kill(os.getpid(), signal.SIGKILL)


def test_ten_kills_of_any_rank_leave_whole_checkpoints_and_the_same_end(tmp_path, data):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    settings = flags(**data, **SETTINGS)
    assert [status for status, *_ in run_ranks(2, whole, *settings, model=small)] == [0, 0]
    chance = random.Random(5)
    for step in sorted(chance.sample(range(1, STEPS + 1), 10)):
        victim = chance.randrange(2)
        ends = run_ranks(2, killed, *settings, model=small, callbacks=[KillOne(victim, step)])
        # The other one notices by itself, and says so; nobody is left for run_ranks to kill.
        assert ends[victim][0] == -signal.SIGKILL and ends[1 - victim][0] == 1, ends
        assert "lost another worker" in ends[1 - victim][2]
        for path in killed.glob("run/checkpoints/*.keras"):
            keras.saving.load_model(path, compile=False)
    assert [status for status, *_ in run_ranks(2, killed, *settings, model=small)] == [0, 0]
    ours, theirs = (contents(newest(folder / "run")) for folder in (killed, whole))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert rows(killed) == rows(whole)


def test_a_broken_image_ends_all_ranks_and_is_named_by_the_one_that_met_it(tmp_path, data):
    settings = data | dict(train_images=tmp_path / "images", validate=False)
    (tmp_path / "images").mkdir()
    for path in sorted(Path(data["train_images"]).iterdir()):
        (tmp_path / "images" / path.name).write_bytes(b"" if path.name == "7.png" else path.read_bytes())
    ends = run_ranks(2, tmp_path, *flags(**settings, epochs=3, batch_size=1, not_verify_dataset=True), model=small)
    met, = [rank for rank, (status, *_) in enumerate(ends) if status == 2]
    assert "7.png" in ends[met][2] and "7.png" not in ends[1 - met][2]
    assert ends[1 - met][0] == 1 and "lost another worker" in ends[1 - met][2]
