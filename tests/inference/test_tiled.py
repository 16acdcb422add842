"""Sliding window: against a whole pass, against blending by hand, and in bounded memory."""

import tracemalloc

import cv2
import keras
import numpy as np
import pytest
from odd import by_hand

from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.inference.test_time_augmentation import AugmentedPredictor
from segnet_hpu.inference.tiled import TiledPredictor, window_starts
from segnet_hpu.models.resizing import resized_model


def smooth(height, width, seed=0):
    rng = np.random.default_rng(seed)
    return cv2.resize(rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8), (width, height),
                      interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("length,window,step,expected", [
    (64, 64, 32, [0]),
    (10, 64, 32, [0]),
    (65, 64, 32, [0, 32]),
    (3000, 416, 208, None),
    (4000, 608, 304, None),
    (100, 32, 16, None),
    (1000, 473, 94, None),
])
def test_windows_cover_the_side_on_one_grid(length, window, step, expected):
    starts = window_starts(length, window, step)
    assert expected is None or starts == expected
    assert starts[0] == 0 and starts[-1] + window >= length
    assert all(0 < b - a <= step for a, b in zip(starts, starts[1:], strict=False))
    assert all(start % min(32, 1 << step.bit_length() - 1) == 0 for start in starts)
    assert starts[-1] + window - length < 32 or starts == [0]


@pytest.mark.parametrize("size", [(90, 130), (20, 30), (33, 200)])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_network_without_context_is_the_same_by_windows(size, batch_size):
    """Each pixel's scores follow from itself alone, so that NumPy can tell them."""
    image = keras.Input((32, 48, 3))
    layer = keras.layers.Conv2D(4, 1)
    model = keras.Model(image, layer(image))
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, 4))
    layer.set_weights([kernel, -127 * kernel.sum((0, 1, 2))])
    picture = smooth(*size)
    logits = picture.astype(np.float32) @ np.asarray(layer.kernel)[0, 0] + np.asarray(layer.bias)
    found, = TiledPredictor(Predictor(model, batch_size)).predict([picture])
    assert found.dtype == np.uint8 and found.shape == size
    clear = np.diff(np.sort(logits, axis=-1)[..., -2:])[..., 0] > 1e-3
    np.testing.assert_array_equal(found[clear], logits.argmax(-1)[clear])
    assert clear.mean() > 0.99 and len(np.unique(found)) > 1


def test_blended_by_hand(model):
    """32x48 windows, 16 pixels apart both ways, weighted by a squared Hann window; all scores held at once."""
    picture = smooth(72, 112)
    padded = np.concatenate([picture, picture[-2:-10:-1]])
    total = np.zeros((80, 112, 4))
    weight = np.outer(*(np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 4 for n in (32, 48)))[..., None]
    for top in (0, 16, 32, 48):
        for left in (0, 16, 32, 48, 64):
            window = padded[top:top + 32, left:left + 48]
            logits = np.asarray(model(window[None].astype(np.float32)))[0]
            total[top:top + 32, left:left + 48] += cv2.resize(logits, (48, 32)) * weight
    found, = TiledPredictor(Predictor(model), overlap=0.5).predict([picture])
    assert (found == total.argmax(-1)[:72]).mean() > 0.999


def test_agreement_with_one_whole_pass():
    keras.utils.set_random_seed(2)
    x = image = keras.Input((64, 96, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(x)
    for strides, rate in ((2, 1), (2, 1), (1, 2)):
        x = keras.layers.Conv2D(12, 3, strides, padding="same", dilation_rate=rate, activation="relu")(x)
    model = keras.Model(image, keras.layers.Conv2D(5, 3, padding="same")(x))
    picture = smooth(256, 384)
    whole, = Predictor(resized_model(model, (256, 384))).predict([picture])
    tiled, = TiledPredictor(Predictor(model, 4)).predict([picture])
    inside = np.s_[32:-32, 32:-32]
    assert len(np.unique(whole)) >= 3
    assert (tiled[inside] == whole[inside]).mean() >= 0.99


class Flat(Predictor):
    """Scores that follow from the window's mean, without a network."""

    def __init__(self, n_classes):
        self.size, self.batch_size, self.n_classes = (64, 64), 1, n_classes

    def prepare(self, image):
        return image

    def run(self, inputs):
        return [np.full((8, 8, self.n_classes), image.mean(), np.float32) for image in inputs]


def test_memory_does_not_grow_with_the_height():
    n_classes, height, width = 20, 4096, 128
    image = np.zeros((height, width, 3), np.uint8)
    predictor = TiledPredictor(Flat(n_classes))
    tracemalloc.start()
    predictor.predict([image])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    scores = 4 * n_classes * 64 * width  # one row of windows
    assert peak < 4 * scores + 5 * height * width  # and the picture itself, with its classes
    assert 4 * n_classes * height * width > 5 * peak  # all scores at once would be far more


def test_probabilities_of_augmented_windows_blend_too(model):
    picture = smooth(72, 112)
    found, = TiledPredictor(AugmentedPredictor(model, 2, flip=True)).predict([picture])
    plain, = TiledPredictor(Predictor(model)).predict([picture])
    assert found.shape == plain.shape and not np.array_equal(found, plain)


def test_scores_of_a_whole_picture_are_refused(model):
    predictor = TiledPredictor(Predictor(model))
    result, = predictor.run([smooth(40, 56)])
    with pytest.raises(UsageError, match="--tile keeps no scores"):
        predictor.probability(result, (40, 56), 0)


def test_command(tmp_path, model, model_file, capsys):
    picture = smooth(72, 112)
    cv2.imwrite(str(tmp_path / "a.png"), picture[..., ::-1])
    command = ["predict", "--checkpoints_path", str(model_file), "--input_path", str(tmp_path / "a.png"), "--ids"]
    assert main([*command, "--output_path", str(tmp_path / "b.png"), "--tile", "--overlap", "0.25"]) == 0
    expected, = TiledPredictor(Predictor(model), 0.25).predict([picture])
    found = cv2.imread(str(tmp_path / "b.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, by_hand(model, picture))
    assert main([*command, "--output_path", str(tmp_path / "c.png"), "--overlap", "0.25"]) == 2
    line, = capsys.readouterr().err.splitlines()
    assert "--overlap 0.25" in line and "--tile" in line


def test_no_overlap_of_a_whole_window(model):
    with pytest.raises(UsageError, match="overlap is 1"):
        TiledPredictor(Predictor(model), 1)
