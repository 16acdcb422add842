"""Test-time augmentation against a computation apart from the package."""

import json
import tracemalloc

import cv2
import keras
import numpy as np
import pytest
from odd import N_CLASSES, write_pictures
from sklearn.metrics import accuracy_score

from segnet_hpu.cli import main
from segnet_hpu.inference.test_time_augmentation import AugmentedPredictor


@pytest.fixture(scope="module")
def doubled(model):
    """The odd network built anew for pictures twice as large."""
    x = image = keras.Input((64, 96, 3))
    for layer in model.layers[1:]:
        x = type(layer).from_config(layer.get_config())(x)
    doubled = keras.Model(image, x)
    doubled.set_weights(model.get_weights())
    return doubled


def probabilities(models, image, flip):
    """Mean of the softmax at the image's own size, float64 (y, x, C)."""
    found = []
    for model in models:
        small = cv2.resize(np.ascontiguousarray(image), model.input_shape[2:0:-1]).astype(np.float32)
        logits = [np.asarray(model(small[None]))[0]]
        if flip:
            logits.append(np.fliplr(np.asarray(model(np.fliplr(small)[None]))[0]))
        for one in logits:
            e = np.exp(cv2.resize(one, image.shape[1::-1]).astype(float))
            found.append(e / e.sum(-1, keepdims=True))
    return np.mean(found, axis=0)


@pytest.mark.parametrize("scales,flip", [((1.0,), True), ((1.0, 2.0), False), ((2.0, 1.0), True), ((2.0,), False)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_mean_of_the_softmax(tmp_path, model, doubled, scales, flip, batch_size):
    images, _ = write_pictures(tmp_path)
    predictor = AugmentedPredictor(model, batch_size, scales, flip)
    for first in range(0, 3, batch_size):
        group = images[first:first + batch_size]
        results = predictor.run([predictor.prepare(image) for image in group])
        for image, result, classes in zip(group, results, predictor.predict(group), strict=True):
            expected = probabilities([{1.0: model, 2.0: doubled}[scale] for scale in scales], image, flip)
            planes = predictor.planes(result, image.shape[:2])
            np.testing.assert_allclose(np.moveaxis(planes, 0, -1), expected, atol=1e-5)
            np.testing.assert_array_equal(predictor.probability(result, image.shape[:2], 2), planes[2])
            clear = np.diff(np.sort(expected, axis=-1)[..., -2:])[..., 0] > 1e-4
            np.testing.assert_array_equal(classes[clear], expected.argmax(-1)[clear])
            assert clear.mean() > 0.99


def test_a_mirrored_picture_has_mirrored_classes(tmp_path, model):
    image = cv2.resize(write_pictures(tmp_path)[0][0], (48, 32))
    predictor = AugmentedPredictor(model, flip=True)
    result, mirrored = (predictor.run([predictor.prepare(one)])[0] for one in (image, image[:, ::-1]))
    np.testing.assert_allclose(predictor.planes(result, (32, 48)),
                               predictor.planes(mirrored, (32, 48))[:, :, ::-1], atol=1e-6)


def test_memory_is_two_arrays_of_all_classes():
    logits, size = np.zeros((8, 8, 12), np.float32), (256, 300)
    predictor = AugmentedPredictor.__new__(AugmentedPredictor)
    tracemalloc.start()
    predictor.planes((logits, logits), size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 9 * logits.shape[-1] * np.prod(size)


def test_scales_that_come_to_one_size_count_once(model):
    assert [one.size for one in AugmentedPredictor(model, scales=(1, 1.01, 2)).predictors] == [(32, 48), (64, 96)]


def test_commands(tmp_path, model, doubled, model_file):
    images, labels = write_pictures(tmp_path)
    expected = [probabilities([model, doubled], image, True).argmax(-1) for image in images]
    flags = ["--checkpoints_path", str(model_file), "--tta", "flip", "--scales", "1,2", "--batch_size", "2"]
    assert main(["predict", *flags, "--input_path", str(tmp_path / "images"), "--output_path", str(tmp_path / "out"),
                 "--ids"]) == 0
    for i, classes in enumerate(expected):
        found = cv2.imread(str(tmp_path / f"out/{i}.png"), cv2.IMREAD_UNCHANGED)
        assert (found == classes).mean() > 0.998
    assert main(["evaluate_model", *flags, "--images_path", str(tmp_path / "images"), "--segs_path",
                 str(tmp_path / "labels"), "--json", str(tmp_path / "scores.json")]) == 0
    score = json.loads((tmp_path / "scores.json").read_text())["pixel_accuracy"]
    truth, found = (np.concatenate([one.ravel() for one in maps]) for maps in (labels, expected))
    assert truth.max() < N_CLASSES
    assert score == pytest.approx(accuracy_score(truth, found), abs=2e-3)


@pytest.mark.parametrize("flags,words", [
    (["--scales", "0"], ["--scales is '0'", "0.75,1,1.25"]),
    (["--scales", "1,x"], ["--scales is '1,x'"]),
    (["--tta", "flop"], ["--tta is 'flop'", "flip"]),
    (["--mc_samples", "3", "--tta", "flip"], ["--mc_samples", "--tta"]),
    (["--mc_samples", "3", "--tile"], ["--mc_samples", "--tile"]),
])
def test_refusals(tmp_path, model_file, capsys, flags, words):
    write_pictures(tmp_path)
    assert main(["predict", "--checkpoints_path", str(model_file), "--input_path", str(tmp_path / "images"),
                 "--output_path", str(tmp_path / "out"), *flags]) == 2
    line, = capsys.readouterr().err.splitlines()
    assert all(word in line for word in words)
