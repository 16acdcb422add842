"""The central promise: a run that is killed and resumed ends exactly as one that is not."""

import json
import random
import signal
import zipfile

import keras
import numpy as np
import pytest

from runs import contents, flags, newest, rows, run, with_encoder

EVERYTHING = dict(epochs=4, batch_size=2, do_augment=True, augmentation_name="strong", lr_schedule="cosine",
                  warmup_epochs=0.5, ema=0.9, accumulate=2, save_steps=3, weight_decay=0.01, clipnorm=1,
                  learning_rate=0.01, val_pictures=1, early_stopping=3, l2=0.001, decoder_rate=10, loss="ce_lovasz",
                  monitor="val_loss", val_metrics="boundary,road", positive_class=2)
STEPS = 20  # ten images by twos, four epochs: accumulation runs across the epochs' ends


def state(checkpoint):
    with zipfile.ZipFile(checkpoint) as archive:
        found = json.loads(archive.read("segnet_hpu/state.json"))
    for row in found["history"]:
        assert row.pop("images_per_second") > 0
    return found


def finish(folder, kills, *argv, model):
    """Kill a run at each moment and resume it; return what the last resume printed."""
    folder.mkdir()
    for moment in kills:
        status, _, err = run(folder, *argv, "--auto_resume_checkpoint", model=model,
                             signal_at=(signal.SIGKILL, moment))
        assert status == -signal.SIGKILL, (status, err)
    status, out, err = run(folder, *argv, "--auto_resume_checkpoint", model=model)
    assert status == 0, (status, err)
    return out


def assert_same_end(one, other):
    """Every bit: weights, averages, optimizer, metrics, seeds, history, best score and best weights."""
    last, again = newest(one / "run"), newest(other / "run")
    assert last.name == again.name
    ours, theirs = contents(last), contents(again)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert state(last) == state(again)
    assert rows(one) == rows(other)
    best, best_again = (keras.saving.load_model(next((f / "run").glob("checkpoints/*.best.keras")), compile=False)
                        for f in (one, other))
    for w, v in zip(best.get_weights(), best_again.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)
    assert (one / "run/evaluation.json").read_bytes() == (other / "run/evaluation.json").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory, data):
    """The folder of an uninterrupted run, for each optimizer."""
    made = {}

    def of(optimizer):
        if optimizer not in made:
            made[optimizer] = tmp_path_factory.mktemp(optimizer)
            argv = flags(**data, **EVERYTHING, optimizer_name=optimizer)
            status, _, err = run(made[optimizer], *argv, model=with_encoder)
            assert status == 0, (status, err)
        return made[optimizer]

    return of


@pytest.mark.parametrize("optimizer,kills", [
    # Moments within epochs, from a seed; right after an epoch's last step, when nothing of it is saved;
    # after its end; and between its checkpoint and metrics.csv.
    ("adam", [("step", step) for step in sorted(random.Random(7).sample(range(1, STEPS), 3))]),
    ("sgd", [("step", 5), ("epoch", 2), ("saved", 3)]),
    ("adam", [("saved", 4)]),
])
def test_killed_and_resumed_ends_bit_equal(whole, tmp_path, data, optimizer, kills):
    finish(tmp_path / "killed", kills, *flags(**data, **EVERYTHING, optimizer_name=optimizer), model=with_encoder)
    assert_same_end(whole(optimizer), tmp_path / "killed")


def test_the_whole_run_used_all_that_is_resumed(whole):
    """Else equality would say little: there are averages, momenta, seeds, gathered gradients, a best epoch."""
    arrays = contents(newest(whole("adam") / "run"))
    assert len([n for n in arrays if n.startswith("training/metrics/")]) == 4
    assert len(rows(whole("adam"))) == 4
    assert state(newest(whole("adam") / "run"))["step"] == STEPS
    rates = [float(row["learning_rate"]) for row in rows(whole("adam"))]
    assert rates == sorted(rates, reverse=True) and rates[0] < 0.01
    assert len({row["loss"] for row in rows(whole("adam"))}) == 4


def test_vgg_segnet_itself(tmp_path, data):
    # At this size, with Adam, TensorFlow's threads left to themselves give other bits in nearly every run.
    argv = flags(**data | dict(validate=False, input_height=96, input_width=128), epochs=1, steps_per_epoch=4,
                 save_steps=2, batch_size=4, do_augment=True)
    (tmp_path / "whole").mkdir()
    status, _, err = run(tmp_path / "whole", *argv)
    assert status == 0, (status, err)
    out = finish(tmp_path / "killed", [("step", 3)], *argv, model=None)
    assert "going on at step 2 (epoch 1)" in out
    ours, theirs = (contents(newest(tmp_path / name / "run")) for name in ("whole", "killed"))
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
