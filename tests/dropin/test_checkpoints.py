"""Files as keras_segmentation leaves them, written here by h5py with the names that Keras gave."""

import json

import h5py
import numpy as np
import pytest

from segnet_hpu.cli import main
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.keras_segmentation import find_weights
from segnet_hpu.interchange.load import load
from segnet_hpu.models.build import build_model
from segnet_hpu.models.trained_model import TrainedModel
from segnet_hpu.train import train
from toy import write_toy


def write(prefix, model, epoch=0, first=17):
    """Write the model's weights as PREFIX.EPOCH; unnamed layers are numbered from `first`, as in a long session."""
    config = {"model_class": model.name, "n_classes": model.output_shape[-1], "input_height": model.input_shape[1],
              "input_width": model.input_shape[2], "output_height": 0, "output_width": 0}
    (prefix.parent / f"{prefix.name}_config.json").write_text(json.dumps(config))
    names, counts = ["input_1"], {"conv2d": first, "batch_normalization": first}
    with h5py.File(f"{prefix}.{epoch}", "w") as file:
        file.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for layer in (layer for layer in model.layers if layer.weights):
            kind = "conv2d" if hasattr(layer, "kernel") else "batch_normalization"
            name = f"{kind}_{counts[kind]}"
            counts[kind] += 1
            weights = [f"{name}/{w.name}:0" for w in layer.weights]
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array(weights, "S")
            for weight, value in zip(weights, layer.get_weights(), strict=True):
                group[weight] = value
            names.append(name)
        file.attrs["layer_names"] = np.array(names, "S")


def random_model(name="unet", size=(32, 32), mean=(-1, 1), **options):
    model = build_model(name, 3, *size, **options)
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(*mean if "moving_mean" in w.path else (0.1, 0.2), w.shape) for w in model.weights])
    return model


@pytest.mark.parametrize("mean,relu", [((-1, 1), False), ((0, 1), True)])
def test_weights_and_the_release_are_told_from_the_file(tmp_path, mean, relu):
    """A decoder whose batch normalisation saw negative means was not rectified."""
    model = random_model(mean=mean, relu=relu)
    write(tmp_path / "net", model)
    trained = load(tmp_path / "net")
    loaded = trained.network
    assert trained == TrainedModel(loaded) and loaded.get_config() == model.get_config()
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_normalises_as_there(tmp_path):
    """Ours scales MobileNet's input to -1..1; keras_segmentation only subtracts the means. A copy keeps that."""
    import keras

    from segnet_hpu.interchange.keras_segmentation import make_model

    write(tmp_path / "net", random_model("mobilenet_segnet", (32, 32)))
    model = make_model(tmp_path / "net.0", "mobilenet_segnet", 3, 32, 32)
    model.save(tmp_path / "copy.keras")
    for one in (model, keras.saving.load_model(tmp_path / "copy.keras")):
        normalised = one.get_layer("normalise")(np.full((1, 1, 1, 3), 200, np.float32))
        np.testing.assert_allclose(np.asarray(normalised).ravel(), 200 - np.array([123.68, 116.779, 103.939]),
                                   rtol=1e-6)


def test_it_can_be_exported(tmp_path):
    from segnet_hpu.interchange.export.formats import make_format

    write(tmp_path / "net", random_model("segnet", (32, 32)))
    assert main(["export", "--checkpoints_path", f"{tmp_path}/net", "--format", "tflite", "--output", "logits",
                 "--out", f"{tmp_path}/net.tflite"]) == 0
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), np.uint8)
    expected = np.asarray(load(tmp_path / "net").network(image.astype(np.float32)))
    found = make_format("tflite").load(tmp_path / "net.tflite")(image)
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


def test_newest_weights(tmp_path):
    model = random_model("segnet")
    for epoch in (9, 10):
        write(tmp_path / "net", model, epoch)
    assert find_weights(tmp_path / "net") == tmp_path / "net.10"
    assert find_weights(tmp_path / "net.9") == tmp_path / "net.9"
    assert find_weights(tmp_path / "other") is None
    assert load(tmp_path / "net.9").network.name == "segnet"


def test_refusals(tmp_path):
    write(tmp_path / "net", random_model("segnet"))
    config = tmp_path / "net_config.json"
    facts = json.loads(config.read_text())
    for change, message in (({"n_classes": 4}, "no weights of 3x3x64x4 left for classifier of segnet.*4 classes"),
                            ({"model_class": "unet_mini"}, "left for stage1_conv1 of unet_mini"),
                            ({"model_class": "sgnet"}, "unknown model 'sgnet'. Did you mean segnet")):
        config.write_text(json.dumps(facts | change))
        with pytest.raises(UsageError, match=message):
            load(tmp_path / "net")
    config.write_text("{")
    with pytest.raises(UsageError, match="net_config.json is no configuration"):
        load(tmp_path / "net")
    config.write_text(json.dumps(facts))
    (tmp_path / "net.0").write_bytes((tmp_path / "net.0").read_bytes()[:2000])
    with pytest.raises(UsageError, match="net.0 holds no weights of Keras"):
        load(tmp_path / "net")
    (tmp_path / "net.0").unlink()
    (tmp_path / "net.1.index").write_bytes(b"broken")
    with pytest.raises(UsageError, match="net.1 holds no weights of Keras"):
        load(tmp_path / "net")
    (tmp_path / "net.1.index").unlink()
    with pytest.raises(UsageError, match="no checkpoint at .*net"):
        load(tmp_path / "net")


def test_training_does_not_replace_what_other_weights_are_read_by(tmp_path):
    """Another network under the prefix of keras_segmentation's weights is refused before anything is written."""
    prefix = tmp_path / "net"
    write(prefix, random_model())
    images, labels = write_toy(tmp_path / "toy", 2, (32, 32))
    options = dict(checkpoints_path=str(prefix), epochs=1, validate=False, model_dir=str(tmp_path / "run"))
    with pytest.raises(UsageError, match=r"net\.0 holds weights of a unet of 3 classes and 32x32 pixels, which can "
                                         r"be read only as long as .*net_config\.json says so; choose another"):
        train(build_model("unet_mini", 3, 32, 32), str(images), str(labels), **options)
    assert not (tmp_path / "run").exists()
    assert load(prefix).network.name == "unet"
