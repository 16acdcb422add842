"""keras_segmentation's names, from Python."""

import json

import cv2
import keras
import numpy as np
import pytest

from segnet_hpu.data.classes import palette
from segnet_hpu.data.images import read_image
from segnet_hpu.errors import UsageError
from segnet_hpu.inference.predictor import Predictor
from segnet_hpu.models.all_models import model_from_name, with_methods
from segnet_hpu.models.registry import names
from segnet_hpu.predict import evaluate, predict, predict_multiple
from segnet_hpu.train import train
from toy import COLOURS, write_toy


def little(n_classes=3):
    """Learns the toy data's three colours at once."""
    keras.utils.set_random_seed(0)
    image = keras.Input((32, 48, 3))
    x = keras.layers.Conv2D(16, 1, activation="relu")(keras.layers.Rescaling(1 / 127.5, -1)(image))
    return keras.Model(image, keras.layers.Conv2D(n_classes, 1)(x), name="little")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the toy data, a model trained on it and what training returned."""
    folder = tmp_path_factory.mktemp("api")
    images, labels = write_toy(folder / "toy", 6, size=(40, 60))
    model = with_methods(little())
    history = model.train(images, labels, epochs=5, batch_size=1, learning_rate=0.05, verify_dataset=False,
                          checkpoints_path=folder / "net", steps_per_epoch=None)
    return folder, model, history


def test_model_from_name():
    model = model_from_name["vgg_segnet"](n_classes=5, input_height=32, input_width=64)
    assert (model.n_classes, model.input_height, model.input_width) == (5, 32, 64)
    assert (model.output_height, model.output_width, model.model_name) == (16, 32, "vgg_segnet")
    assert set(model_from_name) == set(names())
    default = model_from_name["vgg_segnet"](n_classes=2)
    assert (default.input_height, default.input_width) == (416, 608)
    assert model_from_name["vgg_segnet"](2, 32, 32, channels=4).input_shape == (None, 32, 32, 4)


def test_a_model_with_methods_still_saves(tmp_path):
    model = with_methods(little())
    model.save(tmp_path / "m.keras")
    assert keras.saving.load_model(tmp_path / "m.keras").to_json() == model.to_json()


def test_train_returns_a_keras_history(place):
    folder, model, history = place
    assert isinstance(history, keras.callbacks.History) and history.model is model
    assert history.epoch == [0, 1, 2, 3, 4]
    assert {"loss", "accuracy", "learning_rate"} <= set(history.history)
    assert all(len(values) == 5 for values in history.history.values())
    assert history.history["loss"][-1] < history.history["loss"][0] / 2
    assert (folder / "net.5.keras").exists()


class StopAtOnce(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = True


def test_train_by_name_with_a_callback_and_validation(tmp_path):
    images, labels = write_toy(tmp_path / "toy", 2)
    history = train("vgg_segnet", images, labels, n_classes=3, input_height=32, input_width=32, epochs=3,
                    encoder_weights="random", validate=True, val_images=images, val_annotations=labels,
                    ignore_zero_class=True, model_dir=tmp_path / "run", val_pictures=0, callbacks=[StopAtOnce()])
    assert history.epoch == [0] and history.model.name == "vgg_segnet"
    assert 0 <= history.history["val_mean_iou"][0] <= 1
    scores = json.loads((tmp_path / "run/evaluation.json").read_text())["per_class"]
    assert scores[0]["pixels"] == 0 and scores[1]["pixels"] > 0  # class 0 was left out


def test_preprocessing_is_as_files_that_were_prepared(tmp_path):
    images, labels = write_toy(tmp_path / "toy", 4, size=(32, 48))
    (tmp_path / "prepared").mkdir()
    for path in images.iterdir():
        cv2.imwrite(str(tmp_path / "prepared" / path.name), cv2.imread(str(path))[:, :, ::-1] // 2)
    curves = []
    for folder, function in ((images, lambda bgr: bgr[:, :, ::-1] / 2 - 0.25), (tmp_path / "prepared", None)):
        history = with_methods(little()).train(
            folder, labels, epochs=2, validate=True, val_images=folder, val_annotations=labels, steps_per_epoch=None,
            preprocessing=function, model_dir=tmp_path / str(len(curves)))
        curves.append([history.history[name] for name in ("loss", "val_mean_iou")])
    assert curves[0] == curves[1]


def test_predict_by_model_and_by_checkpoint(place, tmp_path):
    folder, model, _ = place
    path = folder / "toy/images/0.png"
    classes = model.predict_segmentation(str(path), str(tmp_path / "a.png"))
    # The map at the size of the model's output, the drawing at the picture's own.
    assert classes.shape == (32, 48)
    drawn = cv2.imread(str(tmp_path / "a.png"))[..., ::-1]
    truth = cv2.imread(str(folder / "toy/labels/0.png"), 0)
    assert (classes == cv2.resize(truth, (48, 32), None, 0, 0, cv2.INTER_NEAREST)).mean() > 0.9
    assert (drawn == palette(None, 3)[truth]).mean() > 0.9
    # The array that cv2 reads, BGR, means the same picture as its file.
    np.testing.assert_array_equal(predict(model, cv2.imread(str(path))), classes)
    np.testing.assert_array_equal(
        predict(inp=path, checkpoints_path=folder / "net.5.keras", out_fname=tmp_path / "b.png",
                colors=COLOURS), classes)
    assert (cv2.imread(str(tmp_path / "b.png")) == COLOURS[truth]).mean() > 0.9
    predict(model, path, tmp_path / "c.png", overlay_img=True, show_legends=True, class_names=["one", "two", "three"])
    assert cv2.imread(str(tmp_path / "c.png")).shape[1] > 60


def test_predict_many(place, tmp_path):
    folder, model, _ = place
    images = folder / "toy/images"
    found = predict_multiple(model, inp_dir=images, out_dir=tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"{i}.png" for i in range(6)]
    again = model.predict_multiple([images / "1.png", cv2.imread(str(images / "0.png"))])
    np.testing.assert_array_equal(again[0], found[1])
    np.testing.assert_array_equal(again[1], found[0])
    model.predict_multiple(inps=[cv2.imread(str(images / "3.png"))], out_dir=tmp_path / "arrays")
    assert [p.name for p in (tmp_path / "arrays").iterdir()] == ["0.png"]


def test_evaluate(place):
    folder, model, _ = place
    images, labels = folder / "toy/images", folder / "toy/labels"
    scores = model.evaluate_segmentation(inp_images_dir=images, annotations_dir=labels)
    assert set(scores) == {"frequency_weighted_IU", "mean_IU", "class_wise_IU"}
    truth = np.array([cv2.imread(str(labels / f"{i}.png"), 0) for i in range(6)])
    found = np.array(Predictor(model, 6).predict([read_image(images / f"{i}.png") for i in range(6)]))
    iou = np.array([((truth == c) & (found == c)).sum() / ((truth == c) | (found == c)).sum() for c in range(3)])
    np.testing.assert_allclose(scores["class_wise_IU"], iou)
    assert scores["mean_IU"] == pytest.approx(iou.mean())
    assert scores["frequency_weighted_IU"] == pytest.approx(sum(iou[c] * (truth == c).mean() for c in range(3)))
    by_lists = evaluate(checkpoints_path=folder / "net.5.keras", inp_images=[images / "2.png"],
                        annotations=[labels / "2.png"], ignore_label=0)
    assert np.isnan(by_lists["class_wise_IU"][0]) and by_lists["mean_IU"] > 0.5


@pytest.mark.parametrize("call,message", [
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", epoch=3), "setting 'epoch'. Did you mean epochs"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", n_classes=5, model_dir=p / "new"), "little has 3"),
    (lambda p, m: m.train(p / "nowhere", p / "toy/labels"), "nowhere: no such folder"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", data_type="bf16", model_dir=p / "new"),
     "set_dtype_policy"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", dry_run=True), "are for the command line"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", distributed=True, num_workers=2, model_dir=p / "new"),
     "distributed starts no workers from Python"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", augmentation_name=lambda image, mask: (image, mask)),
     "changes nothing without do_augment"),
    (lambda p, m: m.train(p / "toy/images", p / "toy/labels", **{"augmentation_name.flip": 0.3}),
     "augmentation_name.flip changes nothing without do_augment"),
    (lambda p, m: train("vgg_segnt", p / "toy/images", p / "toy/labels", n_classes=3), "Did you mean vgg_segnet"),
    (lambda p, m: predict(inp="a.png"), "neither model nor checkpoints_path"),
    (lambda p, m: predict(m, p / "nowhere.png"), "nowhere.png does not exist"),
    (lambda p, m: predict(m, p / "toy/images/0.png", p / "toy/images/0.png"), "would be overwritten"),
    (lambda p, m: predict_multiple(m, [p / "toy/images/0.png", p / "toy/images/1.png"],
                                   out_fnames=[p / "toy/images/1.png", p / "new"]),
     "images/1.png would be overwritten"),
    (lambda p, m: predict(m, p / "toy/images/0.png", colors=[(0, 0, 0)]), "colors has 1 entries; expected 3"),
    (lambda p, m: predict_multiple(m, [p / "a/0.png", p / "b/0.png"], out_dir=p / "o"), "would both become"),
    (lambda p, m: evaluate(m, ["a.png"], []), "1 images and 0 annotations"),
])
def test_refusals(place, call, message):
    folder, model, _ = place
    try:
        with pytest.raises(UsageError, match=message):
            call(folder, model)
    finally:
        keras.config.set_dtype_policy("float32")
    assert not (folder / "new").exists()
