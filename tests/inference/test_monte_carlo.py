"""Monte-Carlo dropout: the numbers on a network small enough to follow, and what `predict` writes."""

import cv2
import keras
import numpy as np
import pytest
from odd import build, write_pictures

from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.inference.monte_carlo import MonteCarloPredictor
from segnet_hpu.inference.predictor import Predictor, classes_at
from segnet_hpu.inference.uncertainty import SampledPrediction
from segnet_hpu.models.trained_model import TrainedModel

SIZE = (16, 24)


def coin(rate=0.5):
    """Logits (v, 0), where v is the red channel / 255, dropped (0) or kept (doubled), less 1/4 by batch norm."""
    x = image = keras.Input((*SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(x[..., :1])
    x = keras.layers.Dropout(rate)(x)
    norm = keras.layers.BatchNormalization(epsilon=0)
    x = norm(x)
    norm.set_weights([np.ones(1), np.zeros(1), np.full(1, 0.25), np.ones(1)])
    return keras.Model(image, keras.layers.Concatenate()([x, keras.layers.Rescaling(0.0)(x)]), name="coin")


def half_black():
    """White to the left of column 12, black from there on."""
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, :12] = 255
    return image


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_mean_and_variance_of_a_coin():
    samples = 64
    sampled, = MonteCarloPredictor(coin(), samples, passes=7).predict([half_black()])
    assert sampled.mean.shape == (*SIZE, 2) and sampled.uncertainty.shape == SIZE
    assert sampled.mean.dtype == sampled.uncertainty.dtype == np.float32
    low, high = sigmoid(-0.25), sigmoid(1.75)
    # A white pixel's mean tells how often it was kept; that fixes its variance.
    kept = (sampled.mean[:, :12, 0] - low) / (high - low)
    np.testing.assert_allclose(kept * samples, np.rint(kept * samples), atol=1e-3)
    np.testing.assert_allclose(sampled.uncertainty[:, :12], kept * (1 - kept) * (high - low)**2, atol=1e-6)
    assert kept.mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(kept.size * samples))
    assert len(np.unique(np.rint(kept * samples))) > 5  # pixels are dropped one by one
    # Where there is nothing to drop, every sample is the plain prediction.
    np.testing.assert_array_equal(sampled.uncertainty[:, 12:], 0)
    np.testing.assert_allclose(sampled.mean[:, 12:, 0], low, atol=1e-6)
    np.testing.assert_allclose(sampled.mean.sum(-1), 1, atol=1e-6)


def test_the_model_itself_stays_as_it_is():
    model = coin()
    before = Predictor(model).run([half_black()])
    predictor = MonteCarloPredictor(model, 4)
    first, again = (predictor.predict([half_black()])[0].mean for _ in range(2))
    np.testing.assert_array_equal(first, again)  # the seed, not the order, decides
    np.testing.assert_array_equal(Predictor(model).run([half_black()]), before)
    other = MonteCarloPredictor(model, 4, seed=1).predict([half_black()])[0].mean
    assert not np.array_equal(first, other)


def test_belief_is_numpys_mean_and_variance():
    softmaxes = np.random.default_rng(0).dirichlet(np.ones(5), (9, 3, 4)).astype(np.float32)
    sampled = SampledPrediction.of(softmaxes)
    np.testing.assert_allclose(sampled.mean, softmaxes.mean(0), atol=1e-6)
    np.testing.assert_allclose(sampled.uncertainty, softmaxes.var(0).mean(-1), atol=1e-6)


def test_the_largest_uncertainty_is_white():
    """Samples that are certain of each class in turn."""
    mean, uncertainty = SampledPrediction.of(np.eye(4, dtype=np.float32)[:, None, None]).pictures((2, 3))
    np.testing.assert_array_equal(uncertainty, np.full((2, 3), 255))
    np.testing.assert_array_equal(mean, np.full((2, 3), 64))


def test_pictures_of_more_classes_than_opencv_resizes_channels():
    softmaxes = np.random.default_rng(0).dirichlet(np.ones(130), (2, 3, 4)).astype(np.float32)
    sampled = SampledPrediction.of(softmaxes)
    planes = [cv2.resize(np.ascontiguousarray(sampled.mean[..., c]), (8, 6)) for c in range(130)]
    np.testing.assert_allclose(sampled.pictures((6, 8))[0], 255 * np.max(planes, axis=0), atol=0.51)


@pytest.mark.parametrize("model", [build, lambda: coin(0)])
def test_nothing_to_sample_is_refused(model):
    with pytest.raises(UsageError, match="--mc_samples 5: (odd|coin) has no dropout to sample"):
        MonteCarloPredictor(model(), 5)


@pytest.fixture(scope="module")
def dropping(tmp_path_factory):
    """A file of the odd network with dropout before its last convolution."""
    model = build()
    x = keras.layers.Dropout(0.5)(model.layers[-2].output)
    path = tmp_path_factory.mktemp("model") / "dropping.keras"
    TrainedModel(keras.Model(model.input, model.layers[-1](x), name="dropping")).save(path)
    return path


def test_what_predict_writes(tmp_path, dropping, cli):
    write_pictures(tmp_path)
    command = ("predict", "--checkpoints_path", dropping, "--input_path", "images", "--ids", "--mc_samples", 9,
               "--batch_size", 4)
    done = cli(*command, "--output_path", "out")
    assert done.returncode == 0, done.stderr
    assert "255 for a variance of 0.1875" in done.stdout  # 3 / 16: four classes
    kinds = (".png", "_mc.npz", "_mean.png", "_uncertainty.png")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"{i}{kind}" for i in range(3) for kind in kinds]
    for i, size in enumerate([(37, 53), (64, 40), (29, 31)]):
        ids, mean, uncertainty = (cv2.imread(str(tmp_path / f"out/{i}{kind}"), cv2.IMREAD_UNCHANGED)
                                  for kind in (".png", "_mean.png", "_uncertainty.png"))
        with np.load(tmp_path / f"out/{i}_mc.npz") as file:
            numbers = dict(file)
        assert numbers["mean"].shape == (16, 24, 4) and numbers["uncertainty"].shape == (16, 24)
        np.testing.assert_allclose(numbers["mean"].sum(-1), 1, atol=1e-5)
        assert numbers["uncertainty"].max() > 0
        np.testing.assert_array_equal(ids, classes_at(numbers["mean"], size))
        highest = cv2.resize(numbers["mean"], size[::-1]).max(-1)
        np.testing.assert_allclose(mean, 255 * highest, atol=0.51)
        variance = cv2.resize(numbers["uncertainty"], size[::-1])
        np.testing.assert_allclose(uncertainty, 255 * np.sqrt(variance / (3 / 16)), atol=0.51)


def test_the_seed_decides(tmp_path, dropping):
    write_pictures(tmp_path)
    for name, seed in (("first", 3), ("again", 3), ("other", 4)):
        assert main(["predict", "--checkpoints_path", str(dropping), "--input_path", f"{tmp_path}/images/0.png",
                     "--output_path", f"{tmp_path}/{name}.png", "--mc_samples", "3", "--seed", str(seed)]) == 0
    first, again, other = (np.load(tmp_path / f"{name}_mc.npz")["mean"] for name in ("first", "again", "other"))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_refusals(tmp_path, dropping, model_file, capsys):
    write_pictures(tmp_path)
    (tmp_path / "images/0.png").rename(tmp_path / "images/1_mean.png")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*.png")}
    for checkpoint, source, target, message in (
            (model_file, "images/2.png", "out.png", "--mc_samples 2: odd has no dropout to sample"),
            (dropping, "images", "out", "would both become"),
            (dropping, "images/1_mean.png", "images/1.png", "would be overwritten")):
        assert main(["predict", "--checkpoints_path", str(checkpoint), "--input_path", f"{tmp_path}/{source}",
                     "--output_path", f"{tmp_path}/{target}", "--mc_samples", "2"]) == 2
        line, = capsys.readouterr().err.splitlines()
        assert message in line
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.png")} == before
