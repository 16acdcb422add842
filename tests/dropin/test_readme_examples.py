"""The Python examples of keras_segmentation's README, written anew: what needs no download, on small pictures."""

import cv2
import keras
import numpy as np
import pytest

from flip import Fliplr, install
from segnet_hpu.compat.keras_segmentation.arrays import read_rgb
from segnet_hpu.compat.keras_segmentation.inputs import Inputs
from segnet_hpu.data.source import FolderSource
from segnet_hpu.data_utils.data_loader import get_segmentation_array
from segnet_hpu.errors import UsageError
from segnet_hpu.model_compression import perform_distilation
from segnet_hpu.models.model_utils import transfer_weights
from segnet_hpu.models.unet import unet_mini
from segnet_hpu.predict import evaluate, model_from_checkpoint_path
from toy import write_toy

SHORT = dict(epochs=2, steps_per_epoch=2, val_pictures=1, checkpoints_path="checkpoints/net")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with dataset1/, as the README has it."""
    monkeypatch.chdir(tmp_path)
    images, labels = write_toy(tmp_path / "dataset1", 4, size=(32, 48))
    images.rename("dataset1/images_prepped_train")
    labels.rename("dataset1/annotations_prepped_train")
    return tmp_path


def train(model, **options):
    return model.train(train_images="dataset1/images_prepped_train/",
                       train_annotations="dataset1/annotations_prepped_train/", **SHORT | options)


def test_a_label_picture(tmp_path):
    label = np.zeros((30, 30, 3)).astype("uint8")
    label[3, 4] = 1
    cv2.imwrite(str(tmp_path / "ann_1.png"), label)
    one_hot = get_segmentation_array(tmp_path / "ann_1.png", 2, 30, 30, no_reshape=True)
    assert one_hot[3, 4, 1] == 1 and one_hot[..., 1].sum() == 1


def test_train_predict_evaluate(here):
    model = unet_mini(n_classes=3, input_height=32, input_width=48)
    train(model, epochs=2)
    out = model.predict_segmentation(inp="dataset1/images_prepped_train/0.png", out_fname="out.png")
    assert out.shape == (32, 48) and cv2.imread("out.png").shape == (32, 48, 3)
    scores = model.evaluate_segmentation(inp_images_dir="dataset1/images_prepped_train/",
                                         annotations_dir="dataset1/annotations_prepped_train/")
    assert set(scores) == {"frequency_weighted_IU", "mean_IU", "class_wise_IU"}


def test_fine_tuning(here):
    pretrained, model = unet_mini(5, 32, 48), unet_mini(3, 32, 48)
    transfer_weights(pretrained, model)
    np.testing.assert_array_equal(model.get_weights()[0], pretrained.get_weights()[0])
    assert len(train(model).history["loss"]) == 2


def test_distillation(here):
    train(unet_mini(3, 32, 48))
    losses = perform_distilation(data_path="dataset1/images_prepped_train/", checkpoints_path="small",
                                 teacher_model=model_from_checkpoint_path("checkpoints/net"),
                                 student_model=unet_mini(3, 16, 24), distilation_loss="kl",
                                 feats_distilation_loss="pa", epochs=1, steps_per_epoch=2)
    assert len(losses) == 1 and (here / "small.1.keras").exists()


def test_custom_augmentation(here, monkeypatch):
    install(monkeypatch)
    assert train(unet_mini(3, 32, 48), do_augment=True, custom_augmentation=lambda: Fliplr()).history


def test_grey_pictures(here):
    model = unet_mini(n_classes=3, input_height=32, input_width=48, channels=1)
    folders = dict(val_images="dataset1/images_prepped_train", val_annotations="dataset1/annotations_prepped_train")
    history = train(model, read_image_type=0, validate=True, do_augment=True, epochs=8, steps_per_epoch=None,
                    learning_rate=0.01, **folders).history
    assert history["loss"][-1] < history["loss"][0]
    path = "dataset1/images_prepped_train/0.png"
    classes = model.predict_segmentation(path, "out.png", read_image_type=0)
    # As an array, and from the checkpoint.
    grey = cv2.imread(path, cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(model.predict_segmentation(grey), classes)
    kept = model_from_checkpoint_path("checkpoints/net.8.keras")
    np.testing.assert_array_equal(kept.predict_segmentation(grey), classes)
    paths = [f"dataset1/{name}/0.png" for name in ("images_prepped_train", "annotations_prepped_train")]
    scores = [evaluate(kept, *([item] for item in items), read_image_type=0) for items in (paths, (grey, cv2.imread(
        paths[1])))]
    np.testing.assert_array_equal(scores[0]["class_wise_IU"], scores[1]["class_wise_IU"])
    whole = evaluate(kept, inp_images_dir="dataset1/images_prepped_train",
                     annotations_dir="dataset1/annotations_prepped_train", read_image_type=0)
    assert whole["frequency_weighted_IU"] == pytest.approx(history["val_frequency_weighted_iou"][-1])


def test_custom_preprocessing(here):
    seen = []

    def brighter(image):
        seen.append(image.shape)
        return image + 1

    train(unet_mini(3, 32, 48), preprocessing=brighter)
    assert set(seen) == {(32, 48, 3)}


def test_several_inputs(here, monkeypatch):
    """As there in a list of folders, with one preprocessing for all or one an input; here the inputs are channels."""
    install(monkeypatch)
    write_toy(here / "other", 4, size=(16, 24), seed=1)
    model = unet_mini(3, 32, 48, channels=6)
    seen = []
    history = train(model, other_inputs_paths=["other/images"], validate=True, do_augment=True,
                    custom_augmentation=Fliplr, preprocessing=[lambda image: image, lambda image: image // 2],
                    val_images="dataset1/images_prepped_train", val_annotations="dataset1/annotations_prepped_train",
                    callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))])
    assert history.history["val_mean_iou"] and seen == [0, 1]
    first, second = cv2.imread("dataset1/images_prepped_train/0.png"), cv2.imread("other/images/0.png")
    array = np.concatenate([first, cv2.resize(second, (48, 32)) // 2], axis=2)
    assert model.predict_segmentation(array).shape == (32, 48)
    for options, message in ((dict(), "takes 6 channels; train reads RGB pictures, which have 3"),
                             (dict(other_inputs_paths=["other/images"] * 2), "3 RGB pictures a sample, which have 9"),
                             (dict(other_inputs_paths=["other/images"], preprocessing=[abs]), "1 functions for 2"),
                             (dict(other_inputs_paths=["dataset1"]), "no further input in dataset1")):
        with pytest.raises(UsageError, match=message):
            train(model, checkpoints_path="second/net", **options)


def test_inputs_are_stacked_as_predict_takes_an_array(here):
    write_toy(here / "other", 4, size=(32, 48), seed=1)
    source = FolderSource("dataset1/images_prepped_train", "dataset1/annotations_prepped_train")
    pictures = [cv2.imread(f"{folder}/0.png") for folder in ("dataset1/images_prepped_train", "other/images")]
    for kind, array in ((1, np.concatenate(pictures, axis=2)),
                        (0, np.dstack([cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) for picture in pictures]))):
        stack = Inputs(["other/images"], kind).read(source)[0].image
        np.testing.assert_allclose(stack.astype(int), read_rgb(array), atol=kind == 0)
