"""Batch normalisation's statistics: right from the first step on, and for the weights that are judged."""

from unittest import mock

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from runs import contents, flags, newest, run, small
from segnet_hpu.cli import main
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.objectives.accuracy import count_pixels
from segnet_hpu.objectives.losses import make_loss
from segnet_hpu.objectives.optimizers import make_optimizer
from segnet_hpu.training.averaged_weights import AveragedWeights
from segnet_hpu.training.batch_statistics import Accuracies, BatchStatistics
from segnet_hpu.training.step import make_train_step

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(50, 20, (12, 2, 8, 8, 3)).astype("float32") + np.arange(12).reshape(-1, 1, 1, 1, 1)
LABELS = RNG.integers(0, 2, (12, 2, 8, 8)).astype("uint8")


def normed(momentum=0.8, frozen=False):
    """A network of a normalisation in a model of its own, a convolution with dropout, and another normalisation."""
    image = keras.Input((8, 8, 3))
    x = inner = keras.Input((8, 8, 3))
    x = layers.BatchNormalization(momentum=momentum, name="first")(x)
    x = keras.Model(inner, x)(image)
    x = layers.Dropout(0.2, seed=1)(layers.Conv2D(4, 3, name="convolution")(x))
    x = layers.BatchNormalization(momentum=momentum, name="second", trainable=not frozen)(x)
    return keras.Model(image, layers.Cropping2D(0)(layers.ZeroPadding2D(1)(layers.Conv2D(2, 1)(x))))


def compiled(model, **options):
    model.compile(make_optimizer("sgd", 0.05, **options), make_loss("ce"), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    return model


def first(model):
    """Mean and variance of the inner model's normalisation, which sees the images themselves."""
    inner, = (layer for layer in model.layers if isinstance(layer, keras.Model))
    layer = inner.get_layer("first")
    return np.array([layer.moving_mean, layer.moving_variance])


def values(variables):
    return [keras.ops.convert_to_numpy(v).copy() for v in variables]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_moving_statistics_hold_nothing_of_what_they_began_with(accumulate):
    """An average with weights that NumPy gives each batch: that of the n-th is 1 - min(0.8, n / (n + 9))."""
    keras.utils.set_random_seed(0)
    model = compiled(normed(), accumulate=accumulate)
    step = make_train_step(model, model.loss)
    expected = np.full((2, 3), np.nan)
    for n, (images, labels) in enumerate(zip(IMAGES, LABELS, strict=True)):
        step(images, labels)
        moments = np.array([images.mean((0, 1, 2)), images.var((0, 1, 2))])
        momentum = min(0.8, n / (n + 9))
        expected = moments if n == 0 else momentum * expected + (1 - momentum) * moments
        np.testing.assert_allclose(first(model), expected, rtol=1e-4)
    second = model.get_layer("second")
    assert second.momentum == 0.8 and second.get_config()["momentum"] == 0.8


@pytest.mark.parametrize("accumulate", [1, 3])
def test_the_average_of_weights_begins_with_the_first_update(accumulate):
    keras.utils.set_random_seed(0)
    model = compiled(normed(), accumulate=accumulate, ema=0.5)
    step, variable, weights = make_train_step(model, model.loss), model.get_layer("convolution").kernel, []
    average, = (average for average, v in zip(model.optimizer._model_variables_moving_average,
                                              model.trainable_variables, strict=True) if v is variable)
    for n in range(12):
        step(IMAGES[n], LABELS[n])
        if (n + 1) % accumulate == 0:
            weights.append(np.array(variable))
    expected = weights[0]
    for u, weight in enumerate(weights):
        momentum = min(0.5, u / (u + 9))
        expected = momentum * expected + (1 - momentum) * weight
    np.testing.assert_allclose(np.array(average), expected, rtol=1e-4, atol=1e-6)


def test_counted_statistics_are_means_over_the_batches_and_nothing_else_moves():
    keras.utils.set_random_seed(0)
    model = compiled(normed())
    others = [v for v in model.variables if "moving" not in v.path]
    before = values(others)
    BatchStatistics(model).count(IMAGES[:5])
    moments = np.array([IMAGES[:5].mean((1, 2, 3)).mean(0), IMAGES[:5].var((1, 2, 3)).mean(0)])
    np.testing.assert_allclose(first(model), moments, rtol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(values(others), before, strict=True))
    assert not np.array_equal(np.array(model.get_layer("second").moving_mean), np.zeros(4))


def test_frozen_statistics_stay():
    model = compiled(normed(frozen=True))
    BatchStatistics(model).count(IMAGES[:2])
    assert np.array_equal(np.array(model.get_layer("second").moving_variance), np.ones(4))


def test_averaged_weights_are_judged_with_statistics_of_their_own_and_training_goes_on_with_its_own():
    keras.utils.set_random_seed(0)
    model = compiled(normed(), ema=0.9)
    step = make_train_step(model, model.loss)
    for images, labels in zip(IMAGES, LABELS, strict=True):
        step(images, labels)
    raw, averaged = values(model.variables), AveragedWeights(model)
    averaged.take(IMAGES[:4])
    with averaged:
        assert all(np.array_equal(a, b) for a, b in
                   zip(values(model.trainable_variables), values(averaged.averages), strict=True))
        moments = np.array([IMAGES[:4].mean((1, 2, 3)).mean(0), IMAGES[:4].var((1, 2, 3)).mean(0)])
        np.testing.assert_allclose(first(model), moments, rtol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(values(model.variables), raw, strict=True))


def stale():
    """A network whose moving statistics are not those of IMAGES."""
    keras.utils.set_random_seed(0)
    model = compiled(normed())
    model.get_layer("second").moving_mean.assign(np.full(4, 1000.0))
    return BatchStatistics(model)


def test_accuracies_by_either_statistics():
    """On labels that are what the network itself makes of each batch; counting anew brings the two together."""
    statistics = stale()
    before = values(statistics.model.variables)
    labels = [keras.ops.convert_to_numpy(statistics.model(images, training=True)).argmax(-1) for images in IMAGES[:3]]
    for variable, value in zip(statistics.model.variables, before, strict=True):
        variable.assign(value)
    pairs = list(zip(IMAGES, labels, strict=False))
    found = statistics.accuracies(pairs)
    by_moving = np.mean([statistics.model.predict_on_batch(x).argmax(-1) == y for x, y in pairs])
    assert found.by_moving == pytest.approx(by_moving) and by_moving < 0.9 < found.by_batch
    assert all(np.array_equal(a, b) for a, b in zip(values(statistics.model.variables), before, strict=True))
    statistics.count(IMAGES[:3])
    assert statistics.accuracies(pairs).by_moving > 0.9


def measured(monkeypatch, statistics, *by_moving):
    """Let these be the accuracies by moving statistics, one after another."""
    found = iter(by_moving)
    monkeypatch.setattr(statistics, "accuracies", lambda batches, ranks: Accuracies(0.98, next(found)))


@pytest.mark.parametrize("by_moving,recounted,validated,warns", [
    (0.5, 0.9, 0.5, True), (0.95, 0.95, 0.5, False), (0.5, 0.9, 0.95, False), (0.5, 0.52, 0.5, False)])
def test_only_what_stale_statistics_explain_is_called_stale(monkeypatch, capsys, by_moving, recounted, validated,
                                                            warns):
    statistics = stale()
    measured(monkeypatch, statistics, by_moving, recounted)
    record = {"epoch": 3, "accuracy": 0.97, "val_pixel_accuracy": validated}
    assert statistics.warn_of_stale(record, []) is warns
    err = capsys.readouterr().err
    assert ("epoch 3: batch normalisation's moving statistics are stale" in err and "recalibrate" in err) is warns
    assert bool(err) is warns


def learnt(steps, **options):
    """A deep narrow network after so many steps on eight pictures of three colours in noise, and the pictures.

    Returns also the share of right pixels that the last four steps had.
    """
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, (8, 4, 6)).repeat(8, 1).repeat(8, 2).astype("uint8")
    images = (np.array([[60, 60, 200], [60, 190, 60], [210, 70, 60]])[labels]
              + rng.normal(0, 30, (*labels.shape, 3))).clip(0, 255).astype("uint8")
    x = image = keras.Input((32, 48, 3))
    x = layers.Rescaling(1 / 127.5, -1)(x)
    for _ in range(6):
        x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
    model = keras.Model(image, layers.Conv2D(3, 1)(x))
    model.compile(make_optimizer("adam", 0.01, **options), make_loss("ce"), jit_compile=False)
    model.optimizer.build(model.trainable_variables)
    step, counts = make_train_step(model, model.loss, count_pixels), []
    for i in range(steps):
        part = slice(i % 2 * 4, i % 2 * 4 + 4)
        counts.append(step(images[part], labels[part]).counts)
    right, pixels = np.sum(counts[-4:], 0)
    return model, images, labels, right / pixels


def share(model, images, labels):
    return np.mean(model.predict_on_batch(images).argmax(-1) == labels)


def test_training_pictures_score_as_training_says():
    """Case 02, after 28 steps. By a constant momentum 97.7 % in training were 85 % in prediction."""
    model, images, labels, trained = learnt(28)
    assert trained > 0.9 and share(model, images, labels) > trained - 0.02


@pytest.mark.parametrize("momentum", [0.99, 0.999])
def test_averaged_weights_are_no_worse_than_the_last(momentum):
    """Case 25. By a constant momentum, and statistics of the last weights, 99 % were 71 % for 0.999."""
    model, images, labels, _ = learnt(60, ema=momentum)
    averaged, raw = AveragedWeights(model), share(model, images, labels)
    averaged.take([images[:4], images[4:]])
    with averaged:
        assert share(model, images, labels) > raw - 0.01 and raw > 0.9


@pytest.mark.parametrize("validated,told", [([0.5, 0.95, 0.5, 0.95], []), ([0.5, 0.5, 0.5, 0.5], [2]),
                                            ([0.95, 0.95, 0.95, 0.5], [4]), ([0.5, 0.95, 0.5, 0.5], [4])])
def test_what_the_next_epoch_mends_is_not_told(monkeypatch, capsys, validated, told):
    statistics = stale()
    measured(monkeypatch, statistics, *[0.5, 0.9] * len(validated))
    warned = [epoch for epoch, accuracy in enumerate(validated, 1) if statistics.warn_of_stale(
        {"epoch": epoch, "accuracy": 0.97, "val_pixel_accuracy": accuracy}, [], is_last=epoch == len(validated))]
    assert warned == told and capsys.readouterr().err.count("are stale") == len(told)


def test_looking_for_stale_statistics_leaves_the_network_as_it_was(capsys):
    statistics = stale()
    before = values(statistics.model.variables)
    labels = [keras.ops.convert_to_numpy(statistics.model(images, training=True)).argmax(-1) for images in IMAGES[:3]]
    for variable, value in zip(statistics.model.variables, before, strict=True):
        variable.assign(value)
    record = {"epoch": 1, "accuracy": 0.97, "val_pixel_accuracy": 0.5}
    assert statistics.warn_of_stale(record, zip(IMAGES, labels, strict=False))
    assert all(np.array_equal(a, b) for a, b in zip(values(statistics.model.variables), before, strict=True))


def test_recalibrate_counts_over_pictures_and_keeps_all_else(tmp_path, capsys):
    model = small()
    trained = TrainedModel(model, class_names=("a", "b", "c"))
    trained.save(tmp_path / "stale.keras")
    (tmp_path / "images").mkdir()
    pictures = np.random.default_rng(1).integers(0, 256, (5, 32, 48, 3), np.uint8)
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"images/{i}.png"), picture[..., ::-1])
    words = ["recalibrate", "--checkpoints_path", tmp_path / "stale.keras", "--images_path", tmp_path / "images",
             "--out", tmp_path / "new.keras", "--batch_size", "5", "--train_engine", "cpu"]
    assert main(list(map(str, words))) == 0
    assert "2 batch normalisations counted over 1 batches of 5 pictures" in capsys.readouterr().out
    new = load(tmp_path / "new.keras")
    assert list(new.class_names) == ["a", "b", "c"]
    x = model.layers[2](pictures.astype("float32") / 127.5 - 1)  # the first convolution, without bias
    layer = next(layer for layer in new.network.layers if isinstance(layer, layers.BatchNormalization))
    np.testing.assert_allclose(layer.moving_mean, np.mean(x, (0, 1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(layer.moving_variance, np.var(x, (0, 1, 2)), rtol=1e-3)
    for one, other in zip(values(model.trainable_variables), values(new.network.trainable_variables), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("described", [True, False])
def test_recalibrate_reads_pictures_as_the_flags_or_the_description_say(tmp_path, capsys, described):
    """Pictures of 10 bits in 16; what the folder leaves out is told."""
    model = small()
    TrainedModel(model).save(tmp_path / "stale.keras")
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    pictures = np.random.default_rng(1).integers(0, 1024, (5, 32, 48, 3), np.uint16)
    for i, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / f"images/{i}.png"), picture[..., ::-1])
        cv2.imwrite(str(tmp_path / f"labels/{i}.png"), np.zeros((32, 48), np.uint8))
    (tmp_path / "images/left.gif").touch()
    (tmp_path / "d.yaml").write_text("classes: [a, b, c]\nimage_range: [0, 1023]\n"
                                     "splits: {train: {images: images, labels: labels}}\n")
    given = (["--dataset", tmp_path / "d.yaml"] if described else
             ["--images_path", tmp_path / "images", "--image_range", "0-1023"])
    words = ["recalibrate", "--checkpoints_path", tmp_path / "stale.keras", "--out", tmp_path / "new.keras",
             "--batch_size", "5", "--train_engine", "cpu", *given]
    assert main(list(map(str, words))) == 0
    assert "images: 1 .gif (left.gif)" in capsys.readouterr().err
    x = model.layers[2](np.round(pictures / 1023 * 255).astype("float32") / 127.5 - 1)
    layer = next(layer for layer in load(tmp_path / "new.keras").network.layers
                 if isinstance(layer, layers.BatchNormalization))
    np.testing.assert_allclose(layer.moving_mean, np.mean(x, (0, 1, 2)), rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("name", ["net.2.keras", "net.1-5.keras", "net.best.keras"])
@pytest.mark.parametrize("command", [
    "recalibrate --images_path . --overwrite --checkpoints_path", "export --format keras --overwrite "
    "--checkpoints_path", "import_caffe --model unet_mini --n_classes 3 --caffemodel"])
def test_a_runs_own_checkpoints_are_never_replaced_nor_added_to(tmp_path, capsys, command, name, exists):
    """A run could not go on from it, would remove it, and its record would be another model's."""
    (tmp_path / "net_config.json").touch()
    if exists:
        (tmp_path / name).write_bytes(b"as it was")
    with mock.patch("segnet_hpu.cli.recalibrate._pictures", return_value=[]):
        assert main([*command.split(), str(tmp_path / name), "--out", str(tmp_path / name)]) == 2
    err = capsys.readouterr().err
    assert f"--out {tmp_path / name} is the name of a checkpoint of a training, whose record" in err or (
        exists and "import_caffe" in command and "exists" in err)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["net_config.json"] + [name] * exists)


class Saves(keras.callbacks.ModelCheckpoint):
    """Keras' own, of the whole model at every epoch's end."""

    def __init__(self):
        super().__init__("of_keras.keras", monitor="val_loss")


def test_what_is_saved_at_an_epochs_end_is_what_was_judged(tmp_path, data):
    """Keras' own checkpoint, ours and the best hold averages, whose statistics are not those that training goes on
    with; a checkpoint within an epoch holds weights as they are, with the statistics that belong to them."""
    argv = flags(**data, epochs=1, batch_size=2, learning_rate=0.01, ema=0.9, save_steps=3)
    status, _, err = run(tmp_path, *argv, model=small, callbacks=[Saves()])
    assert status == 0, err
    folder = tmp_path / "run/checkpoints"
    judged = keras.saving.load_model(folder / "vgg_segnet.best.keras").get_weights()
    for file in (tmp_path / "of_keras.keras", newest(tmp_path / "run")):
        weights = keras.saving.load_model(file, compile=False).get_weights()
        assert all(np.array_equal(a, b) for a, b in zip(judged, weights, strict=True)), file

    def differing(file):
        inside, stored = keras.saving.load_model(file, compile=False), contents(file)
        # What does not differ from the weights is not stored again.
        raw = [stored.get(f"training/model/{i}.npy", v) for i, v in enumerate(inside.variables)]
        return {v.path.rpartition("/")[2] for v, value in zip(inside.variables, raw, strict=True)
                if not np.array_equal(np.array(v), value)}

    assert {"kernel", "gamma", "moving_mean", "moving_variance"} <= differing(newest(tmp_path / "run"))
    assert differing(folder / "vgg_segnet.0-3.keras") <= {"seed_generator_state"}  # Keras draws it anew
