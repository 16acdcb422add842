"""Bad checkpoints, weights, devices and runs: refused in one line, and no run is begun or touched."""

import os
import zipfile

import cv2
import keras
import numpy as np
import pytest

from judging import EVALUATE, PREDICT, TRAIN, write_pair
from segnet_hpu.cli import main
from segnet_hpu.models.build import build_model
from segnet_hpu.models.trained_model import TrainedModel


@keras.saving.register_keras_serializable("elsewhere")
class Strange(keras.layers.Layer):
    """A layer that the reader of its model does not know."""

    def call(self, x):
        return x


def little(n_classes=2, size=32):
    """A network of one convolution."""
    image = keras.Input((size, size, 3))
    return keras.Model(image, keras.layers.Conv2D(n_classes, 1)(image), name="little")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder of sound and of damaged model files."""
    folder = tmp_path_factory.mktemp("models")
    TrainedModel(little()).save(folder / "two.keras")
    TrainedModel(little(3)).save(folder / "three.keras")
    TrainedModel(little(size=None)).save(folder / "any_size.keras")
    TrainedModel(build_model("vgg_segnet", 3, 32, 32)).save(folder / "segnet3.keras")
    image = keras.Input((32, 32, 3))
    keras.Model(image, keras.layers.Flatten()(image)).save(folder / "classifier.keras")
    keras.Model(image, Strange()(image)).save(folder / "strange.keras")
    keras.saving.get_custom_objects().pop("elsewhere>Strange")
    whole = (folder / "two.keras").read_bytes()
    (folder / "cut.keras").write_bytes(whole[:len(whole) // 2])
    (folder / "text.keras").write_text("weights\n")
    (folder / "empty.keras").write_bytes(b"")
    with zipfile.ZipFile(folder / "zip.keras", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with zipfile.ZipFile(folder / "torn.keras", "w") as archive, zipfile.ZipFile(folder / "two.keras") as sound:
        for name in sound.namelist():
            archive.writestr(name, b"{" if name == "config.json" else sound.read(name))
    import h5py

    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    with h5py.File(folder / "narrow.h5", "w") as file:
        for block, layers in enumerate((2, 2, 3, 3, 3), 1):
            for i in range(1, layers + 1):
                name = f"block{block}_conv{i}"
                file[f"{name}/kernel"], file[f"{name}/bias"] = np.zeros((3, 3, 1, 8)), np.zeros(8)
                file[name].attrs["weight_names"] = ["kernel", "bias"]
    return folder


NO_MODEL = "is no readable model"
# Name -> (command, words of the line); {m} is the folder of models.
MODELS = {
    "cut": (PREDICT + "--checkpoints_path {m}/cut.keras", "cut.keras", NO_MODEL, "expected a .keras file"),
    "text": (PREDICT + "--checkpoints_path {m}/text.keras", "text.keras", NO_MODEL),
    "empty": (PREDICT + "--checkpoints_path {m}/empty.keras", "empty.keras", NO_MODEL),
    "zip of something else": (PREDICT + "--checkpoints_path {m}/zip.keras", "zip.keras", NO_MODEL),
    "broken config": (PREDICT + "--checkpoints_path {m}/torn.keras", "torn.keras", NO_MODEL),
    "unknown layer": (PREDICT + "--checkpoints_path {m}/strange.keras", "strange.keras", NO_MODEL, "Strange"),
    "weights alone": (PREDICT + "--checkpoints_path {m}/other.h5", "other.h5", NO_MODEL),
    "classifier": (PREDICT + "--checkpoints_path {m}/classifier.keras", "classifier.keras", "(None, 3072)"),
    "size left open": (PREDICT + "--checkpoints_path {m}/any_size.keras", "any_size.keras", "(None, None, None, 3)"),
    "evaluate with a cut one": (EVALUATE + "--checkpoints_path {m}/cut.keras", "cut.keras", NO_MODEL),
    "names for another number": (PREDICT + "--checkpoints_path {m}/two.keras --class_names a,b,c",
                                 "--class_names 'a,b,c' holds 3", "expected 2"),
    "names of evaluate": (EVALUATE + "--checkpoints_path {m}/two.keras --class_names a,", "expected 2"),
    "class of evaluate": (EVALUATE + "--checkpoints_path {m}/three.keras --metrics road",
                          "--positive_class is not set", "0 to 2"),
    "palette too small": (PREDICT + "--checkpoints_path {m}/three.keras --palette kitti_road",
                          "palette kitti_road has 2 classes", "3"),
    "no gpu": (PREDICT + "--checkpoints_path {m}/two.keras --train_engine gpu", "--train_engine gpu"),

    "no weights": (TRAIN + "--load_weights nowhere.keras", "no checkpoint at nowhere.keras"),
    "cut weights": (TRAIN + "--load_weights {m}/cut.keras", "cut.keras", NO_MODEL),
    "weights of another model": (TRAIN + "--load_weights {m}/two.keras", "--load_weights", "two.keras", "vgg_segnet"),
    "weights of other classes": (TRAIN + "--load_weights {m}/segnet3.keras",
                                 "segnet3.keras", "(3, 3, 64, 3)", "(3, 3, 64, 2)"),
    "no encoder": (TRAIN + "--encoder_weights nowhere.h5", "--encoder_weights nowhere.h5: no such file", "random"),
    "encoder of text": (TRAIN + "--encoder_weights {m}/text.keras", "text.keras is no VGG16 weight file"),
    "other h5": (TRAIN + "--encoder_weights {m}/other.h5", "other.h5 is no VGG16 weight file"),
    "narrow encoder": (TRAIN + "--encoder_weights {m}/narrow.h5", "narrow.h5", "block1_conv1", "(3, 3, 3, 64)"),
    "gpu without one": (TRAIN + "--train_engine gpu", "--train_engine gpu", "--train_engine cpu"),
    "hpu without one": (TRAIN + "--train_engine hpu", "--train_engine hpu", "--train_engine cpu"),
    "fp16 on the cpu": (TRAIN + "--data_type amp", "--data_type amp", "--data_type fp32"),
    "run below a file": (TRAIN + "--model_dir images/a.png/run", "--model_dir images/a.png/run", "no folder"),
    "run is a file": (TRAIN + "--model_dir images/a.png", "--model_dir images/a.png", "no folder"),
    "prefix below a file": (TRAIN + "--checkpoints_path images/a.png/net", "--checkpoints_path images/a.png"),
    "board below a file": (TRAIN + "--tensorboard images/a.png", "--tensorboard images/a.png", "no folder"),
    "config to a folder": (TRAIN + "--dump_config images", "--dump_config images is a folder"),
    "all epochs warm-up": (TRAIN + "--warmup_epochs 0.9", "warm-up"),
}


@pytest.mark.parametrize("name", MODELS)
def test_bad_model(refused, models, name):
    command, *words = MODELS[name]
    refused(command.format(m=models), words)


def test_evaluate_with_a_label_of_another_size(refused, place, models):
    cv2.imwrite("labels/a.png", np.zeros((10, 12), np.uint8))
    refused(EVALUATE + f"--checkpoints_path {models}/two.keras", ["labels/a.png is 12x10", "24x20"])


def test_text_as_picture(refused, place, models):
    (place / "note.png").write_text("hello")
    refused(PREDICT + f"--checkpoints_path {models}/two.keras --input_path note.png --output_path out.png",
            ["note.png is no image"])


def test_one_unreadable_picture_among_others(refused, place, models):
    (place / "images/note.png").write_text("hello")
    refused(PREDICT + f"--checkpoints_path {models}/two.keras", ["1 of 3 pictures", "images/note.png is no image"],
            status=1, begun="out")
    assert sorted(os.listdir("out")) == ["a.png", "b.png"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folders(refused, place, models):
    (place / "locked").mkdir(mode=0o500)
    refused(TRAIN + "--model_dir locked/run", ["--model_dir locked/run", "may not be written"])
    refused(PREDICT + f"--checkpoints_path {models}/two.keras --output_path locked/out",
            ["--output_path locked/out", "may not be written"])


def test_existing_run(refused, place):
    (place / "run/checkpoints").mkdir(parents=True)
    (place / "run/checkpoints/vgg_segnet.3.keras").write_bytes(b"weights of days")
    refused(TRAIN, ["run", "--auto_resume_checkpoint", "--model_dir"])


def test_best_model_of_a_run_whose_checkpoints_are_gone(refused, place):
    (place / "kept").mkdir()
    (place / "kept/net.best.keras").write_bytes(b"weights of days")
    refused(TRAIN + "--checkpoints_path kept/net", ["kept", "--checkpoints_path"])


def test_two_kinds_of_bf16_on_hpu(refused, monkeypatch):
    from segnet_hpu.runtime.devices import Device, find

    monkeypatch.setattr(find("hpu"), "select", lambda backend, card: Device("hpu", "stand-in"))
    monkeypatch.setenv("TF_BF16_CONVERSION", "1")
    refused(TRAIN + "--train_engine hpu --data_type bf16", ["--data_type bf16", "TF_BF16_CONVERSION=1", "Unset"])


def test_broken_file_that_was_not_verified(refused, place):
    (place / "images/a.png").write_bytes((place / "images/a.png").read_bytes()[:-20])
    refused(TRAIN + "--not_verify_dataset", ["images/a.png is truncated"], begun="run")


def test_ids_outside_the_models_classes_are_named(place, models, capsys):
    """keras_segmentation leaves such pixels out without a word."""
    write_pair(place, "a", (0, 7))
    assert main(f"{EVALUATE} --checkpoints_path {models}/two.keras".split()) == 2
    assert "labels/a.png holds ids outside 0..1: 7 (240 pixels)" in capsys.readouterr().err


def test_loss_that_is_no_number(refused):
    refused(TRAIN + "--learning_rate 1e30 --optimizer_name sgd --epochs 20", ["the loss is", "lower --learning_rate"],
            status=1, begun="run")
