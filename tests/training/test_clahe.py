"""--clahe: a model that was trained on equalised pictures is validated, evaluated and asked with such."""

import json

import cv2
import keras
import numpy as np
import pytest

from runs import flags, newest, plain, rows, run
from segnet_hpu.cli import main
from segnet_hpu.interchange.load import load


def equalised(path):
    """The picture as RGB float32 with CLAHE on its lightness, clip limit 1.0, 8x8 tiles."""
    lab = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(1.0, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).astype(np.float32)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data):
    """The folder of a run that changes next to nothing of its model, so that its figures are the first weights'."""
    folder = tmp_path_factory.mktemp("clahe")
    still = dict(optimizer_name="sgd", momentum=0, learning_rate=1e-12, batch_size=10, epochs=1, clahe=1)
    status, _, err = run(folder, *flags(**data, **still), model=plain)
    assert status == 0, err
    return folder


def answers(folder, images):
    """The model's logits for a folder's equalised pictures, by Keras alone."""
    model = keras.saving.load_model(newest(folder / "run"))
    return model.predict(np.array([equalised(p) for p in sorted(images.iterdir())]), verbose=0).astype(float)


def labels_of(folder):
    return np.array([cv2.imread(str(p), cv2.IMREAD_GRAYSCALE) for p in sorted(folder.iterdir())])


def test_training_and_validation(trained, data):
    logits, truth = answers(trained, data["train_images"]), labels_of(data["train_annotations"])
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    loss = -np.take_along_axis(log_p, truth[..., None].astype(int), -1).mean()
    assert float(rows(trained)[0]["loss"]) == pytest.approx(loss, rel=1e-4)
    right = answers(trained, data["val_images"]).argmax(-1) == labels_of(data["val_annotations"])
    assert float(rows(trained)[0]["val_pixel_accuracy"]) == pytest.approx(right.mean(), abs=1e-6)


def test_evaluation_and_prediction_of_its_checkpoint(trained, data, tmp_path):
    best = str(trained / "run")
    assert main(["evaluate_model", "--checkpoints_path", best, "--images_path", str(data["val_images"]),
                 "--segs_path", str(data["val_annotations"]), "--json", str(tmp_path / "scores.json")]) == 0
    expected = answers(trained, data["val_images"]).argmax(-1)
    accuracy = (expected == labels_of(data["val_annotations"])).mean()
    assert json.loads((tmp_path / "scores.json").read_text())["pixel_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert main(["predict", "--checkpoints_path", best, "--input_path", str(data["val_images"]), "--output_path",
                 str(tmp_path / "out"), "--ids"]) == 0
    np.testing.assert_array_equal(labels_of(tmp_path / "out"), expected)
    coding = load(best).input_coding
    assert coding.clahe == 1 and coding.equalises


def test_a_share_beyond_one_is_refused(data, capsys):
    assert main(["train", *flags(**data, clahe=1.5)]) == 2
    assert "--clahe is 1.5; expected a number of at least 0.0 and at most 1.0" in capsys.readouterr().err
