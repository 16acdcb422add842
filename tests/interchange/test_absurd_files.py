"""Weight files are held against their headers before they are decoded: bounded memory, one clear line."""

import io
import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.hdf5 import array, open_weights
from segnet_hpu.interchange.keras_segmentation import load_checkpoint
from segnet_hpu.interchange.load import load
from segnet_hpu.interchange.vgg16 import load_vgg16
from segnet_hpu.models.trained_model import FACTS, LAYERS, ROLES, TrainedModel


@pytest.fixture
def members(tmp_path):
    """{name: bytes} of a sound .keras file of one convolution."""
    image = keras.Input((16, 16, 3))
    TrainedModel(keras.Model(image, keras.layers.Conv2D(3, 1, name="conv")(image), name="mine")).save(
        tmp_path / "sound.keras")
    with zipfile.ZipFile(tmp_path / "sound.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def refused(tmp_path, members):
    """Write the members with changes, and check that the file is refused in one line that matches."""
    def check(match, **changes):
        names = {name.rsplit("/")[-1].replace(".", "_"): name for name in members}
        changed = members | {names[key]: value for key, value in changes.items()}
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in changed.items():
                archive.writestr(name, data)
        with pytest.raises(UsageError, match=match) as caught:
            load(path)
        assert str(caught.value).startswith(f"{path} is no readable model (") and "\n" not in str(caught.value)
    return check


def config_with(members, **changes):
    """The configuration with another one of its convolution."""
    config = json.loads(members["config.json"])
    layer = next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == "conv")
    layer["config"] |= changes
    return json.dumps(config)


def test_a_network_larger_than_its_weights_is_not_built(refused, members):
    refused(r"its layers need 2,768,400,000 bytes of weights, the file holds \d\d,\d\d\d\)",
            config_json=config_with(members, filters=900_000, kernel_size=[16, 16]))


def test_maps_that_no_memory_holds_are_not_built(refused, members):
    refused("its layer input_layer.* gives maps of 10000000x10000000x3",
            config_json=members["config.json"].replace(b"[null, 16, 16, 3]", b"[null, 10000000, 10000000, 3]"))


def test_an_archive_that_swells_is_not_unpacked(refused):
    refused("it unpacks to 8[0-9,]* bytes from", metadata_json=bytes(80 * 2**20))


def hdf5(change):
    """The bytes of an HDF5 file that change(file) fills."""
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        change(file)
    return data.getvalue()


def petabytes(file):
    file.create_dataset("vars/0", (2**50,), chunks=(2**20,), dtype="float32")


def elsewhere(file):
    file.create_dataset("0", (4,), external=[("/etc/passwd", 0, 32)], dtype="float32")


def linked(file):
    file["0"] = h5py.ExternalLink("/etc/hosts", "/x")


def virtual(file):
    layout = h5py.VirtualLayout((4,), "float32")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))
    file.create_virtual_dataset("0", layout)


def circular(file):
    group = file.create_group("a")
    group["b"] = group


@pytest.mark.parametrize("change,words", [
    (petabytes, r"it declares 4\.5e\+15 bytes of numbers in a file of"), (elsewhere, "0 lies in another file"),
    (linked, "0 is a link to another place"), (virtual, "0 lies in another file"),
    (circular, "its groups lie more than 50 deep")])
def test_hdf5_that_is_not_its_own_is_refused(tmp_path, refused, change, words):
    refused(words, model_weights_h5=hdf5(change))
    (tmp_path / "old.0").write_bytes(hdf5(change))
    (tmp_path / "old_config.json").write_text(json.dumps(
        {"model_class": "unet_mini", "n_classes": 3, "input_height": 32, "input_width": 32}))
    with pytest.raises(UsageError, match=f"old.0 holds no weights of Keras \\({words}"):
        load_checkpoint(tmp_path / "old.0")
    with pytest.raises(UsageError, match=f"old.0 is no VGG16 weight file \\({words}"):
        load_vgg16(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.ReLU()]), str(tmp_path / "old.0"))


def test_groups_and_text_are_no_weights(tmp_path):
    held = {"group/x": [1.0], "text": ["a"], "sound": [1, 2]}
    (tmp_path / "a.h5").write_bytes(hdf5(lambda file: file.update(held)))
    with open_weights(tmp_path / "a.h5") as file:
        for name in ("group", "text"):
            with pytest.raises(ValueError, match=f"/{name} holds no numbers"):
                array(file, name)
        np.testing.assert_array_equal(array(file, "sound"), [1, 2])


@pytest.mark.parametrize("changes", [{"n_classes": 10**20}, {"input_height": 10**9}, {"input_width": "wide"},
                                     {"model_class": ["unet"]}, {"n_classes": 0}], ids=str)
def test_an_absurd_configuration_is_not_built(tmp_path, changes):
    (tmp_path / "old.0").write_bytes(b"")
    config = {"model_class": "unet_mini", "n_classes": 3, "input_height": 32, "input_width": 32} | changes
    (tmp_path / "old_config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match="old_config.json is no configuration of keras_segmentation .*expected"):
        load_checkpoint(tmp_path / "old.0")


@pytest.mark.parametrize("member,value", [
    (FACTS, []), (FACTS, {"ignore_label": 10**20}), (FACTS, {"ignore_label": True}), (FACTS, {"clahe": -1}),
    (FACTS, {"clahe": float("nan")}), (FACTS, {"class_names": ["a"]}), (FACTS, {"imported_from": {}}),
    (ROLES, {"conv": 3}), (ROLES, {"conv": {"stage": "x"}}), (ROLES, {"conv": {"colour": 1}}), (LAYERS, 7),
    (LAYERS, {"conv": {}})], ids=str)
def test_odd_notes_are_refused(refused, member, value):
    refused(r" \(", **{member.rsplit("/")[-1].replace(".", "_"): json.dumps(value)})
