"""What a TrainedModel is given comes back from its file, or is refused when it is made."""

import json
import zipfile

import keras
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.load import load
from segnet_hpu.models.trained_model import FACTS, InputCoding, TrainedModel


def network(n_classes=2):
    image = keras.Input((16, 16, 3))
    return keras.Model(image, keras.layers.Conv2D(n_classes, 1)(image), name="mine")


@pytest.mark.parametrize("given, words", [
    (dict(class_names=["road, wet", "sky"]), "class_names holds 'road, wet'; expected 2 names without commas"),
    (dict(class_names=["road", " "]), "class_names holds ' '"),
    (dict(class_names=["road"]), "class_names holds 1 names; expected 2"),
    (dict(class_names="ab"), "class_names is 'ab'"),
    (dict(class_names=[0, 1]), r"class_names is '\[0, 1\]'"),
    (dict(ignore_label=300), "ignore_label of a TrainedModel is '300'; expected an int from 0 to 255"),
    (dict(ignore_label=True), "ignore_label of a TrainedModel is 'True'"),
    (dict(palette=3), "palette of a TrainedModel is '3'; expected a known data set's name"),
    (dict(input_coding=InputCoding(clahe=2.0)), "clahe of a TrainedModel is '2.0'; expected a number from 0 to 1"),
    (dict(input_coding=InputCoding(downsampling="nearest")), "downsampling of a TrainedModel is 'nearest'"),
])
def test_what_no_file_could_give_back_is_refused(given, words):
    with pytest.raises(UsageError, match=words):
        TrainedModel(network(), **given)


def test_what_is_taken_comes_back(tmp_path):
    trained = TrainedModel(network(), ["road", "sky"], "ff0000,00ff00", 7)
    trained.save(tmp_path / "a.keras")
    again = load(tmp_path / "a.keras")
    assert (again.class_names, again.palette, again.ignore_label) == (["road", "sky"], "ff0000,00ff00", 7)
    assert again.appearance().names == ["road", "sky"]


@pytest.mark.parametrize("name", ["a", "a.h5"])
def test_a_file_that_would_not_be_found_is_not_written(tmp_path, name):
    with pytest.raises(UsageError, match=f"{name} is no name for a model's file; expected one that ends in .keras"):
        TrainedModel(network()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_names_that_earlier_versions_split_are_left_out_with_a_warning(tmp_path, capsys):
    TrainedModel(network()).save(tmp_path / "sound.keras")
    with zipfile.ZipFile(tmp_path / "sound.keras") as sound, zipfile.ZipFile(tmp_path / "old.keras", "w") as old:
        for member in sound.namelist():
            facts = json.dumps({"class_names": "road, wet,sky", "ignore_label": 7})
            old.writestr(member, facts if member == FACTS else sound.read(member))
    again = load(tmp_path / "old.keras")
    assert again.class_names is None and again.ignore_label == 7
    assert "old.keras holds 3 names, and the network has 2 classes; they are left out" in capsys.readouterr().err
