"""Checkpoints: whole or not there at all, found broken when they are, readable by Keras."""

import pickle
import resource
import signal
import zipfile

import keras
import numpy as np
import pytest

from runs import contents, flags, newest, plain, run, small
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.load import find_checkpoint, load
from segnet_hpu.models.encoders.normalisation import Normalisation
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.checkpoint import (
    list_checkpoints,
    restore_newest,
    save_checkpoint,
    sizes,
    stored_normalisation,
)
from segnet_hpu.training.state import State

MADE_WITH = {"model_name": "plain", "batch_size": 2}


def trained(seed=0, make=plain, name="adam", **options):
    """A compiled model after two steps of random gradients."""
    keras.utils.set_random_seed(seed)
    model = make()
    model.compile(make_optimizer(name, 0.01, **options), make_loss("ce"), jit_compile=False)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        model.optimizer.apply([keras.ops.convert_to_tensor(rng.normal(size=v.shape), "float32")
                               for v in model.trainable_variables], model.trainable_variables)
    return model


def save(folder, epoch, model, averaged=None):
    path = folder / f"m.{epoch}.keras"
    save_checkpoint(path, TrainedModel(model, made_with=MADE_WITH, palette="voc"),
                    State(step=5 * epoch, epoch=epoch, best_score=0.5, best_epoch=epoch),
                    averaged or AveragedWeights(model))
    return path


def values(model):
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.fixture
def two(tmp_path):
    """(folder, model of epoch 1, model of epoch 2), saved."""
    models = [trained(seed) for seed in (1, 2)]
    for epoch, model in enumerate(models, 1):
        save(tmp_path, epoch, model)
    return tmp_path, *models


def test_state_comes_back_and_keras_opens_the_file(two):
    folder, _, second = two
    fresh = trained(3)
    state = restore_newest(folder / "m", fresh, MADE_WITH, pytest.fail)
    assert state == State(step=10, epoch=2, best_score=0.5, best_epoch=2)
    assert same(values(fresh), values(second))
    opened = keras.saving.load_model(folder / "m.2.keras")
    assert same(opened.get_weights(), second.get_weights()) and opened.name == "plain"
    assert load(folder / "m.2.keras").palette == "voc"
    assert restore_newest(folder / "other", fresh, MADE_WITH, pytest.fail) is None


def twice_scaled():
    image = keras.Input((32, 48, 3))
    x = keras.layers.Rescaling(2.0, -1.0)(keras.layers.Rescaling(1 / 255)(image))
    return keras.Model(image, keras.layers.Conv2D(3, 1)(x), name="twice_scaled")


def test_the_normalising_layer_is_found_whatever_keras_calls_it(tmp_path):
    save(tmp_path, 1, trained(make=twice_scaled))
    for made_before in range(3):
        keras.backend.clear_session()
        for _ in range(made_before):
            keras.layers.Rescaling(1.0)
        found = stored_normalisation(tmp_path / "m", twice_scaled())
        assert np.allclose(found.scale, 1 / 255) and np.allclose(found.offset, 0)


def test_a_normalisation_of_lists_can_go_to_other_ranks(tmp_path):
    def scaled():
        image = keras.Input((32, 48, 3))
        x = keras.layers.Rescaling([1.0, 2.0, 3.0], [-1.0, 0.0, 1.0])(image)
        return keras.Model(image, keras.layers.Conv2D(3, 1)(x), name="scaled")

    save(tmp_path, 1, trained(make=scaled))
    found = pickle.loads(pickle.dumps(stored_normalisation(tmp_path / "m", scaled())))
    assert found == Normalisation((-1.0, 0.0, 1.0), (1.0, 2.0, 3.0))


def test_failing_in_the_middle_of_writing_leaves_the_old_one(two, monkeypatch):
    folder, first, second = two
    before = (folder / "m.2.keras").read_bytes()

    def full(file, array, **_):
        file.write(b"half an array")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(RunError, match=r"cannot write checkpoint .*m.2.keras: No space left on device; free space"):
        save(folder, 2, first)
    assert (folder / "m.2.keras").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == ["m.1.keras", "m.2.keras"]


def test_what_a_killed_writer_leaves_is_in_no_listing(two):
    folder, _, second = two
    (folder / ".m.3.partial.keras").write_bytes(b"half")
    assert [p.name for p in list_checkpoints(folder / "m")] == ["m.1.keras", "m.2.keras"]
    assert find_checkpoint(folder).name == find_checkpoint(folder / "m").name == "m.2.keras"
    save(folder, 3, second)
    assert sorted(p.name for p in folder.iterdir()) == ["m.1.keras", "m.2.keras", "m.3.keras"]


def test_another_models_checkpoint_is_never_taken(tmp_path):
    for name in ("m.keras", "m.v2.best.keras", "m.v2.7.keras"):
        (tmp_path / name).touch()
    assert find_checkpoint(tmp_path / "m").name == "m.keras"
    assert find_checkpoint(tmp_path / "m.v2").name == "m.v2.best.keras"
    assert find_checkpoint(tmp_path / "m.v2.7").name == "m.v2.7.keras"
    with pytest.raises(UsageError, match="holds checkpoints of .*/m, .*/m.v2; .* give the prefix"):
        find_checkpoint(tmp_path)
    (tmp_path / "m.keras").unlink()
    assert find_checkpoint(tmp_path).name == "m.v2.best.keras"
    with pytest.raises(UsageError, match="no checkpoint at .*/m;"):
        find_checkpoint(tmp_path / "m")


def truncated(data):
    return data[:len(data) * 2 // 3]


def flipped(data):
    """One bit of the last array's numbers."""
    at = data.rindex(b"\x93NUMPY") + 130
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1:]


def nothing(data):
    return b""


def other_method(data):
    """A compression that no one knows, in the archive's list."""
    at = data.index(b"PK\x01\x02") + 10
    return data[:at] + b"\x63" + data[at + 1:]


@pytest.mark.parametrize("damage", [truncated, flipped, nothing, other_method])
def test_a_broken_newest_is_named_and_the_one_before_used(two, damage):
    folder, first, _ = two
    path, warnings = folder / "m.2.keras", []
    path.write_bytes(damage(path.read_bytes()))
    model = trained(3)
    assert restore_newest(folder / "m", model, MADE_WITH, warnings.append).epoch == 1
    assert same(values(model), values(first))
    warning, = warnings
    assert str(path) in warning and "is broken" in warning and "\n" not in warning


def test_any_flipped_bit_of_the_archives_list_is_survived(two):
    folder, first, second = two
    path = folder / "m.2.keras"
    sound = path.read_bytes()
    start, rng, passed_over = sound.index(b"PK\x01\x02"), np.random.default_rng(0), 0
    model = trained(3)
    for at in rng.integers(start, len(sound), 60):
        data = bytearray(sound)
        data[at] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        warnings = []
        state = restore_newest(folder / "m", model, MADE_WITH, warnings.append)
        # A date's bit does no harm; else it is epoch 1's. Never a mixture.
        assert same(values(model), values(second if state.epoch == 2 else first))
        assert len(warnings) == (state.epoch == 1)
        passed_over += state.epoch == 1
    assert 10 < passed_over < 60


def test_all_broken_is_said_not_begun_anew(two):
    folder, *_ = two
    for path in list_checkpoints(folder / "m"):
        path.write_bytes(b"")
    with pytest.raises(RunError, match="none of the 2 checkpoints .*m.* can be read; remove them to start anew"):
        restore_newest(folder / "m", trained(3), MADE_WITH, lambda message: None)


@pytest.mark.parametrize("made_with,message", [
    ({"model_name": "vgg_segnet"}, r"m.2.keras was made with --model_name plain, this run has vgg_segnet"),
    ({"batch_size": 4}, r"m.2.keras was made with --batch_size 2, this run has 4"),
])
def test_another_run_is_refused_by_name(two, made_with, message):
    folder, *_ = two
    model = trained(3)
    before = values(model)
    with pytest.raises(UsageError, match=message):
        restore_newest(folder / "m", model, MADE_WITH | made_with, pytest.fail)
    assert same(values(model), before)


@pytest.mark.parametrize("other,group", [(dict(make=small), "model"), (dict(name="sgd"), "optimizer"),
                                         (dict(ema=0.9), "optimizer")])
def test_other_shapes_are_refused(two, other, group):
    folder, *_ = two
    with pytest.raises(UsageError, match=f"m.2.keras belongs to another {group}"):
        restore_newest(folder / "m", trained(3, **other), MADE_WITH, pytest.fail)


def test_the_file_to_use_holds_the_moving_average_and_the_state_both(tmp_path):
    model = trained(ema=0.5)
    raw = [np.array(v) for v in model.trainable_variables]
    averages = [np.array(v) for v in model.optimizer._model_variables_moving_average]
    assert not same(raw, averages)
    averaged = AveragedWeights(model)
    averaged.take([])
    with averaged:
        TrainedModel(model).save(tmp_path / "m.best.keras")
    path = save(tmp_path, 1, model, averaged)
    for file in (path, tmp_path / "m.best.keras"):
        assert same(keras.saving.load_model(file).get_weights(), averages)
    assert same([np.array(v) for v in model.trainable_variables], raw)
    fresh = trained(3, ema=0.5)
    restore_newest(tmp_path / "m", fresh, MADE_WITH, pytest.fail)
    assert same([np.array(v) for v in fresh.trainable_variables], raw)


@pytest.mark.parametrize("options,times", [({}, 3), (dict(ema=0.9), 5)])
def test_weights_stand_in_the_file_once_where_averages_do_not_differ(tmp_path, options, times):
    """Adam's two moments beside them; with averages those, the raw weights, and the averages that Keras opens."""
    model = trained(make=small, **options)
    averaged = AveragedWeights(model)
    averaged.take([np.zeros((2, 32, 48, 3), np.uint8)])
    path = save(tmp_path, 1, model, averaged)
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith("training/model/")]
        trainable = {f"training/model/{i}.npy" for i, v in enumerate(model.variables) if v.trainable}
        seeds = {f"training/model/{i}.npy" for i, v in enumerate(model.variables) if "seed" in v.path}
    if options:
        assert trainable - set(names) == set() and seeds <= set(names)
    else:
        assert set(names) == seeds and len(seeds) == 2
    held = sum(array.size for array in contents(path).values())
    count = sum(np.prod(v.shape) for v in model.trainable_variables)
    assert times * count <= held < (times + 0.5) * count
    fresh = trained(3, make=small, **options)
    restore_newest(tmp_path / "m", fresh, MADE_WITH, pytest.fail)
    assert same(values(fresh), values(model))
    assert [np.array(v).tolist() for v in fresh.variables if "seed" in v.path] == [
        np.array(v).tolist() for v in model.variables if "seed" in v.path]
    checkpoint_size, best_size = sizes(model)
    assert abs(checkpoint_size - 4 * held) < 500 and best_size == sum(np.array(v).nbytes for v in model.variables)


class FullDisk(keras.callbacks.Callback):
    """From the second epoch on no file grows beyond so many bytes: to the writer, a full disk."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.size))


@pytest.mark.parametrize("size", [0, 20_000, 60_000])
def test_a_full_disk_stops_the_run_with_the_last_checkpoint_whole(tmp_path, data, size):
    argv = flags(**data | dict(validate=False), epochs=3, batch_size=5, auto_resume_checkpoint=True)
    status, _, err = run(tmp_path, *argv, model=small, callbacks=[FullDisk(size)])
    assert status == 1
    if size:  # else there is no room for the message either
        line, = [line for line in err.splitlines() if line.startswith("segnet-hpu: ")]
        assert "cannot write checkpoint" in line and "File too large; free space" in line
    folder = tmp_path / "run/checkpoints"
    assert sorted(p.name for p in folder.iterdir() if not p.name.startswith("vgg_segnet_config")) == [
        "vgg_segnet.1.keras", "vgg_segnet.best.keras"]
    status, out, err = run(tmp_path, *argv, model=small)
    assert status == 0 and "going on at step 2 (epoch 2)" in out, err


def test_only_the_newest_are_kept(tmp_path, data):
    status, _, err = run(tmp_path, *flags(**data | dict(validate=False), epochs=3, batch_size=5, save_steps=1,
                                          keep_checkpoints=3), model=plain)
    assert status == 0, (status, err)
    assert sorted(p.name for p in (tmp_path / "run/checkpoints").glob("*.keras")) == [
        "vgg_segnet.2-1.keras", "vgg_segnet.2.keras", "vgg_segnet.3.keras", "vgg_segnet.best.keras"]
    with zipfile.ZipFile(tmp_path / "run/checkpoints/vgg_segnet.3.keras") as archive:
        assert archive.testzip() is None
    assert contents(newest(tmp_path / "run"))
