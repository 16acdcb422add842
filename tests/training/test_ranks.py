"""Several ranks train exactly as one process with the same global batch."""

import json
import os
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from ranks import ON_TORCH, needs_several, run_ranks, this_rank

from runs import contents, flags, newest, plain, rows, run, small
from toy import write_toy

pytestmark = needs_several


def normed(size=(32, 48), n_classes=3):
    """A network with batch normalisation and no dropout, which would differ from rank to rank."""
    x = image = keras.Input((*size, 3))
    x = layers.Rescaling(1 / 127.5, -1)(x)
    for width in (8, 16):
        x = layers.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.8)(x))
    return keras.Model(image, layers.Conv2D(n_classes, 1, dtype="float32")(x), name="normed")


def staged():
    """The plain network; its first convolution is what a vgg_segnet calls its encoder."""
    image = keras.Input((32, 48, 3))
    x = layers.Conv2D(4, 3, padding="same", name="block1_conv1")(layers.Rescaling(1 / 127.5, -1)(image))
    return keras.Model(image, layers.Conv2D(3, 1, dtype="float32")(x), name="vgg_segnet")


class KeepVariables(keras.callbacks.Callback):
    """Writes all variables of model and optimizer as FOLDER/variables.RANK.npz at the end."""

    def on_train_end(self, logs=None):
        found = {v.path: keras.ops.convert_to_numpy(v) for v in self.model.variables + self.model.optimizer.variables}
        np.savez(f"variables.{this_rank()}.npz", **found)


def variables(folder, rank):
    return dict(np.load(folder / f"variables.{rank}.npz"))


def curve(folder, column="loss"):
    return [float(row[column]) for row in rows(folder)]


def trained(size, folder, *argv, **options):
    """Train in `folder` on `size` ranks, which all end well; return rank 0's (stdout, stderr)."""
    folder.mkdir(exist_ok=True)
    ends = run_ranks(size, folder, *argv, **options) if size > 1 else [run(folder, *argv, **options)]
    assert [status for status, *_ in ends] == [0] * size, ends
    return ends[0][1:]


def small_buckets():
    """On torch, let each gradient travel by itself: all but the last then leave under the backward pass."""
    if ON_TORCH:
        from segnet_hpu.runtime.ranks import gradient_buckets

        gradient_buckets.BYTES = 1


# One step an epoch, so that the history holds the loss of every step.
STEPS = dict(epochs=20, steps_per_epoch=1, optimizer_name="sgd", learning_rate=0.05, keep_checkpoints=1,
             val_pictures=0)


@pytest.mark.parametrize("model,settings,tolerance", [
    (plain, {}, 1e-5),
    (staged, dict(optimizer_name="adam", learning_rate=0.01, accumulate=3, ema=0.9, clipnorm=0.05,
                  weight_decay=0.1, do_augment=True, l2=0.01, decoder_rate=3, loss="ce_lovasz"), 1e-5),
    (normed, dict(sync_batch_norm=True), 1e-5 if ON_TORCH else 1e-4),
    (plain, dict(compress_gradients=True), 1e-2),
    (plain, dict(epochs=1), 1e-6),
    (normed, dict(sync_batch_norm=True, epochs=1), 1e-6),
])
def test_two_ranks_are_one_process_with_twice_the_batch(tmp_path, data, model, settings, tolerance):
    common = data | dict(validate=False) | STEPS | settings
    trained(2, tmp_path / "two", *flags(**common, batch_size=2), model=model, patch=small_buckets)
    trained(1, tmp_path / "one", *flags(**common, batch_size=4), model=model)
    np.testing.assert_allclose(curve(tmp_path / "two"), curve(tmp_path / "one"), rtol=tolerance, atol=tolerance)
    two, one = (contents(newest(tmp_path / name / "run")) for name in ("two", "one"))
    assert two.keys() == one.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=tolerance, atol=tolerance, err_msg=name)
    # The network has learned, so that equal means something.
    assert common["epochs"] == 1 or curve(tmp_path / "one")[-1] < 0.9 * curve(tmp_path / "one")[0]


def alike(folder, ranks):
    """Names of the variables that are not the same on all ranks, to the bit."""
    first = variables(folder, 0)
    return {path for rank in range(1, ranks) for path, value in variables(folder, rank).items()
            if not np.array_equal(value, first[path])}


def test_ranks_hold_equal_weights_optimizers_and_statistics_after_different_data(tmp_path, data):
    settings = flags(**data, epochs=2, batch_size=1, learning_rate=0.01, optimizer_name="adam", do_augment=True)
    out, _ = trained(3, tmp_path, *settings, model=small, callbacks=[KeepVariables()])
    # Of all that is kept only the seeds of dropout, which must differ, are not equal.
    differing = alike(tmp_path, 3)
    assert differing == {path for path in variables(tmp_path, 0) if "seed_generator_state" in path} != set()
    assert "(1 on each of 3 workers)" in out and "in communication" in out
    assert (tmp_path / "out1.txt").read_text() == ""
    assert "segnet-hpu" not in (tmp_path / "err1.txt").read_text()


def not_averaging():
    if ON_TORCH:
        from segnet_hpu.runtime.ranks.gradient_buckets import Bucket

        Bucket.put = lambda self, slot, gradient: gradient
    else:
        from segnet_hpu.runtime.ranks.horovod import Horovod

        Horovod._average = lambda self, grads: grads


def test_without_averaging_the_ranks_drift_apart(tmp_path, data):
    settings = flags(**data | dict(validate=False), epochs=1, batch_size=1)
    trained(2, tmp_path, *settings, model=plain, callbacks=[KeepVariables()], patch=not_averaging)
    assert {Path(path).name for path in alike(tmp_path, 2)} >= {"kernel", "bias"}


def test_scores_and_loss_are_the_same_from_one_two_and_three_ranks(tmp_path, data):
    images, labels = write_toy(tmp_path / "val", 7, seed=3)
    settings = flags(**data | dict(val_images=images, val_annotations=labels),
                     **STEPS | dict(epochs=1, learning_rate=1e-12), val_batch_size=2, monitor="val_loss",
                     val_metrics="boundary,road", positive_class=2)
    scores, losses = [], []
    for size in (1, 2, 3):
        folder = tmp_path / str(size)
        trained(size, folder, *settings, f"--batch_size={6 // size}", model=plain)
        scores.append((folder / "run/evaluation.json").read_bytes())
        losses += curve(folder, "val_loss")
    assert scores[0] == scores[1] == scores[2]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)
    found = json.loads(scores[0])
    assert 0 < found["boundary_f1"] < 1 and 0 < found["average_precision_area"] < found["max_f_recall"] <= 1


class SignalOne(keras.callbacks.Callback):
    """Sends one rank a signal after a step of the whole run."""

    def __init__(self, rank, number, step):
        super().__init__()
        self.rank, self.number, self.step = rank, number, step

    def on_train_batch_end(self, batch, logs=None):
        if self.step == int(self.model.optimizer._iterations) and this_rank() == self.rank:
            os.kill(os.getpid(), self.number)


ALL = dict(epochs=3, learning_rate=0.01, lr_schedule="cosine", warmup_epochs=0.5, ema=0.9, do_augment=True,
           optimizer_name="sgd", clipnorm=1, early_stopping=3, val_pictures=0, auto_resume_checkpoint=True)


def test_a_signal_to_any_rank_stops_all_and_another_number_of_ranks_goes_on_exactly(tmp_path, data):
    settings = flags(**data, **ALL)
    trained(1, tmp_path / "one", *settings, "--batch_size=4", model=plain)
    moved = tmp_path / "moved"
    moved.mkdir()
    ends = run_ranks(2, moved, *settings, "--batch_size=2", model=plain,
                     callbacks=[SignalOne(1, signal.SIGTERM, 4)])
    assert [status for status, *_ in ends] == [128 + signal.SIGTERM] * 2
    # Noted after step 4, agreed on with the gradients of step 5: the second of three in the second epoch.
    assert [p.name for p in (moved / "run/checkpoints").glob("*-*.keras")] == ["vgg_segnet.1-2.keras"]
    out, _ = trained(1, moved, *settings, "--batch_size=4", model=plain)
    assert "going on at step 5 (epoch 2)" in out
    ours, theirs = (contents(newest(tmp_path / name / "run")) for name in ("moved", "one"))
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-5, atol=1e-5, err_msg=name)
    for column in ("loss", "accuracy", "val_mean_iou"):
        np.testing.assert_allclose(curve(moved, column), curve(tmp_path / "one", column), rtol=1e-5)


class SignalInTest(keras.callbacks.Callback):
    """Sends rank 1 a signal in its first batch of validation; writes down the batches that each rank has begun."""

    def on_test_batch_begin(self, batch, logs=None):
        rank = this_rank()
        if (rank, batch) == (1, 0):
            os.kill(os.getpid(), signal.SIGTERM)
        Path(f"begun.{rank}").write_text(str(batch))


def test_a_signal_to_one_rank_breaks_off_the_validation_of_all(tmp_path, data):
    """Of three images rank 1 has one, and is done with it when it meets rank 0 again."""
    ends = run_ranks(2, tmp_path, *flags(**data, batch_size=2, epochs=2, val_batch_size=1), model=plain,
                     callbacks=[SignalInTest()])
    assert [status for status, *_ in ends] == [128 + signal.SIGTERM] * 2, ends
    assert "stopped in epoch 1 at step 3; saved" in ends[0][2]
    assert [(tmp_path / f"begun.{rank}").read_text() for rank in (0, 1)] == ["0", "0"]
    assert newest(tmp_path / "run").name == "vgg_segnet.0-3.keras"


def test_another_global_batch_is_refused_on_all_ranks_in_one_line(tmp_path, data):
    settings = flags(**data, **ALL | dict(epochs=1, warmup_epochs=0))
    trained(1, tmp_path, *settings, "--batch_size=2", model=plain)
    ends = run_ranks(2, tmp_path, *settings, "--batch_size=2", model=plain)
    assert [status for status, *_ in ends] == [2, 2]
    assert "was made with --batch_size 2, this run has 4, all workers together" in ends[0][2]
    assert ends[0][2].count("segnet-hpu:") == 1 and "segnet-hpu:" not in ends[1][2]


def test_the_rate_is_scaled_with_a_warm_up(tmp_path, data):
    common = data | dict(validate=False, epochs=20, steps_per_epoch=1, batch_size=1, learning_rate=0.01,
                         optimizer_name="sgd", val_pictures=0)
    trained(2, tmp_path, *flags(**common, scale_lr="linear"), model=plain)
    # A tenth of 20 epochs: two steps at 1/3 and 2/3 of twice the rate.
    np.testing.assert_allclose(curve(tmp_path, "learning_rate"), [0.02 / 3, 0.02 * 2 / 3] + [0.02] * 18, rtol=1e-6)
