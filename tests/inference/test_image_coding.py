"""Prediction reads picture files as the model's training did, unless the call says otherwise."""

import cv2
import made_tagged
import numpy as np
import pytest
from odd import build, by_hand

from segnet_hpu.cli import main
from segnet_hpu.data.image_coding import MAX_PIXELS, ImageCoding, limit_pixels
from segnet_hpu.errors import UsageError
from segnet_hpu.inference.video_files import VideoReader
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import InputCoding, TrainedModel

BGR = np.random.default_rng(0).integers(0, 256, (20, 31, 3)).astype(np.uint8)
SEEN = np.rot90(BGR, -1)[..., ::-1]  # tag 6: turned clockwise


@pytest.fixture
def predict(tmp_path, model_file, capsys):
    """Predict one picture's ids; returns them, or the refusal."""

    def run(picture, *flags, model=model_file):
        status = main(["predict", "--checkpoints_path", str(model), "--input_path", str(picture), "--output_path",
                       str(tmp_path / "ids.png"), "--ids", "--overwrite", *flags])
        said = capsys.readouterr().err
        return said if status else cv2.imread(str(tmp_path / "ids.png"), cv2.IMREAD_UNCHANGED)

    return run


@pytest.fixture
def trained_on(tmp_path):
    def write(**coding):
        path = tmp_path / "own.keras"
        TrainedModel(build(), input_coding=InputCoding(files=ImageCoding(**coding))).save(path)
        assert load(path).input_coding.files == ImageCoding(**coding)
        return path

    return write


def test_predictions_lie_as_a_viewer_shows_the_picture(tmp_path, model, predict, trained_on):
    (tmp_path / "a.png").write_bytes(made_tagged.png(BGR, 6))
    np.testing.assert_array_equal(predict(tmp_path / "a.png"), by_hand(model, SEEN))
    as_stored = by_hand(model, BGR[..., ::-1])
    np.testing.assert_array_equal(predict(tmp_path / "a.png", "--orientation", "as_stored"), as_stored)
    own = trained_on(orientation="as_stored")
    np.testing.assert_array_equal(predict(tmp_path / "a.png", model=own), as_stored)
    upright = predict(tmp_path / "a.png", "--orientation", "upright", model=own)
    np.testing.assert_array_equal(upright, by_hand(model, SEEN))


def test_12_bits_are_read_over_the_range_that_the_model_knows(tmp_path, model, predict, trained_on):
    deep = (BGR.astype(np.uint16) << 4) + 15
    cv2.imwrite(str(tmp_path / "a.png"), deep)
    assert "a.png holds values up to" in predict(tmp_path / "a.png")
    read = np.rint(deep[..., ::-1] * (255 / 4095)).astype(np.uint8)
    found = predict(tmp_path / "a.png", "--image_range", "0-4095")
    np.testing.assert_array_equal(found, by_hand(model, read))
    own = trained_on(image_range=(0, 4095), ignore_alpha=True)
    np.testing.assert_array_equal(predict(tmp_path / "a.png", model=own), found)


def test_max_pixels_is_heeded(tmp_path, predict):
    cv2.imwrite(str(tmp_path / "a.png"), BGR)
    assert "a.png is 31x20 pixels large, of which 619 are read" in predict(tmp_path / "a.png", "--max_pixels", "619")
    assert predict(tmp_path / "a.png", "--max_pixels", "620").shape == (20, 31)
    limit_pixels(MAX_PIXELS)


def test_numbered_pictures_are_read_alike(tmp_path):
    for i in range(2, 5):
        (tmp_path / f"f_{i}.png").write_bytes(made_tagged.png(BGR, 6))
    with VideoReader(tmp_path / "f_%d.png") as reader:
        assert reader.count == 3
        np.testing.assert_array_equal(list(reader), [SEEN] * 3)
    with VideoReader(tmp_path / "f_%d.png") as reader:
        reader.read_as(ImageCoding("as_stored"))
        assert next(iter(reader)).shape == BGR.shape
    (tmp_path / "f_3.png").write_bytes(made_tagged.png(BGR, 3))
    with VideoReader(tmp_path / "f_%d.png") as reader, pytest.raises(UsageError, match=r"f_3\.png is 31x20, but"):
        list(reader)
