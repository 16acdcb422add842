"""Weights go along with what they were trained on: how pictures are normalised, what rectifies maps, epsilon."""

import re

import keras
import numpy as np
import pytest

import caffe_files
import prototxt
from segnet_hpu.cli import main
from segnet_hpu.data.image_coding import ImageCoding
from segnet_hpu.errors import RunError, UsageError
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.interchange.transfer import copy_weights, transfer_weights
from segnet_hpu.models.activations import activations
from segnet_hpu.models.build import build_model
from segnet_hpu.models.encoders.normalisation import TENSORFLOW, TORCH
from segnet_hpu.models.normalisation import set_normalisation
from segnet_hpu.models.roles import mark
from segnet_hpu.models.trained_model import InputCoding, TrainedModel

PLAIN = InputCoding()


def pictures(size=(32, 32)):
    return np.random.default_rng(0).integers(0, 256, (2, *size, 3)).astype("float32")


def network(*layers, seed=0):
    """A network of these layers and a classifier, its weights from a seed."""
    keras.utils.set_random_seed(seed)
    x = image = keras.Input((32, 32, 3))
    for layer in layers:
        x = layer(x)
    model = keras.Model(image, keras.layers.Conv2D(3, 1, name="classifier")(x), name="mine")
    rng = np.random.default_rng(seed)
    model.set_weights([w + rng.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    return model


def saved(tmp_path, model, **noted):
    TrainedModel(model, **noted).save(tmp_path / "other.keras")
    return tmp_path / "other.keras"


def convolution(activation=None):
    return keras.layers.Conv2D(4, 3, name="conv", activation=activation)


@pytest.mark.parametrize("theirs", [TENSORFLOW, TORCH], ids=["-1..1", "a number a channel"])
@pytest.mark.parametrize("start", [copy_weights, transfer_weights])
def test_pictures_are_normalised_as_there(tmp_path, start, theirs):
    keras.utils.set_random_seed(1)
    other, model = build_model("unet_mini", 3, 32, 32), build_model("unet_mini", 3, 32, 32)
    assert set_normalisation(other, theirs)
    line = start(model, saved(tmp_path, other), PLAIN)
    np.testing.assert_allclose(model(pictures()), other(pictures()), rtol=1e-5, atol=1e-5)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_array_equal(copy(pictures()), model(pictures()))
    assert line is None or "left at random: none; pictures are normalised as there: pixel * " in line


@pytest.mark.parametrize("start", [copy_weights, transfer_weights])
def test_classes_of_other_names_are_told(tmp_path, start):
    model = build_model("unet_mini", 3, 32, 32)
    path = saved(tmp_path, model, class_names=["road", "sky", "tree"])
    words = "its class 1 is sky, here tree: the weights of a class stay at its number"
    assert start(model, path, PLAIN, ["road", "tree", "sky"]).endswith(words)
    for alike in (["road", "sky", "tree"], None):
        assert words not in str(start(model, path, PLAIN, alike))


def test_a_network_without_a_layer_for_it_is_refused(tmp_path):
    path = saved(tmp_path, network(keras.layers.Rescaling(1 / 255), convolution()))
    with pytest.raises(UsageError, match=r"mine has no layer that normalises as pixel \* 0.00392157 \+ \(0, 0, 0\)"):
        copy_weights(network(convolution()), path, PLAIN)


def test_other_rectifiers_are_refused_by_name(tmp_path):
    """keras_segmentation's U-Net of release 0.3.0 against ours."""
    model = build_model("unet", 3, 32, 32)
    before = model.get_weights()
    path = saved(tmp_path, build_model("unet", 3, 32, 32, relu=False))
    words = "no function follows decoder_1_conv there, relu in unet; give the --model_options it was made with"
    with pytest.raises(UsageError, match=re.escape(f"--load_weights {path}: {words}")):
        copy_weights(model, path, PLAIN)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    line = transfer_weights(model, path)
    assert "decoder_1_conv (relu follows, there no function), decoder_2_conv (relu" in line
    assert "decoder_1_conv" not in transfer_weights(build_model("unet", 3, 32, 32, relu=False), path)


@pytest.mark.parametrize("ours,theirs,words", [
    ([convolution("relu")], [convolution(), keras.layers.ReLU()], None),
    ([convolution(), keras.layers.Activation("relu")], [convolution("relu")], None),
    ([convolution(), keras.layers.ReLU(6.0)], [convolution("relu")],
     "relu follows conv there, relu(max_value=6.0) in"),
    ([convolution(), keras.layers.LeakyReLU(0.1)], [convolution()], "no function follows conv there, leakyrelu("),
    ([convolution(), keras.layers.ZeroPadding2D(), keras.layers.ReLU()],
     [convolution(), keras.layers.ZeroPadding2D()], "its network has no function where mine has relu")], ids=str)
def test_the_same_function_however_it_is_written(tmp_path, ours, theirs, words):
    model, path = network(*ours), saved(tmp_path, network(*theirs, seed=1))
    if words is None:
        copy_weights(model, path, PLAIN)
    else:
        with pytest.raises(UsageError, match=re.escape(words)):
            copy_weights(model, path, PLAIN)


def test_functions_of_layers_with_weights():
    model = network(convolution("relu"), keras.layers.BatchNormalization(name="norm"),
                    keras.layers.PReLU(name="slope"))
    assert activations(model) == {"conv": ["relu"], "norm": ["prelu"], "slope": [], "classifier": []}


@pytest.mark.parametrize("start", [copy_weights, transfer_weights])
def test_another_epsilon_is_made_up_for(tmp_path, start):
    other, model = (network(convolution(), keras.layers.BatchNormalization(epsilon=epsilon, name="norm"), seed=seed)
                    for seed, epsilon in ((0, 0.1), (1, 1e-3)))
    start(model, saved(tmp_path, other), PLAIN)
    np.testing.assert_allclose(model(pictures()), other(pictures()), rtol=1e-4)


def test_equalised_pictures_are_told(tmp_path):
    model = network(convolution())
    path = saved(tmp_path, network(convolution()), input_coding=InputCoding(clahe=0.5))
    with pytest.raises(UsageError, match="its pictures had CLAHE on, here off; give the settings .* by --init_from"):
        copy_weights(model, path, PLAIN)
    copy_weights(model, path, InputCoding(clahe=0.3))
    assert transfer_weights(model, path, PLAIN).endswith("left at random: none; its pictures had CLAHE on, here off")


def test_other_readings_of_image_files_are_told(tmp_path):
    model = network(convolution())
    coding = InputCoding(files=ImageCoding(image_range=(0, 1023)), downsampling="area")
    path = saved(tmp_path, network(convolution()), input_coding=coding, made_with={"seed": 0})
    told = "its pictures had --image_range 0,1023, here none, --image_downsampling area, here bilinear"
    assert copy_weights(model, path, PLAIN) == f"{path}: {told}"
    assert transfer_weights(model, path, PLAIN).endswith(f"left at random: none; {told}")
    assert copy_weights(model, path, coding) is None
    # How others made pictures smaller is not known.
    keras.saving.save_model(model, path)
    assert copy_weights(model, path, InputCoding(downsampling="area")) is None


def caffe_file(tmp_path, text):
    """A file of a 3x3 convolution `conv` and a classifier."""
    rng = np.random.default_rng(0)
    weights = {"conv": [rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)],
               "classifier": [rng.normal(size=(3, 4, 1, 1)), rng.normal(size=3)]}
    return caffe_files.write(tmp_path / "net.caffemodel", prototxt.parse(text), weights)


CONV = prototxt.convolution("conv", "data", 4, 3, 0)
CLASSIFIER = prototxt.convolution("classifier", "conv", 3, 1, 0)
RELU = prototxt.layer("relu", "ReLU", "conv", "conv")


def test_a_caffemodel_rectified_elsewhere_is_refused(tmp_path):
    path = caffe_file(tmp_path, CONV + RELU + CLASSIFIER)
    with pytest.raises(UsageError, match="relu follows layer conv, none follows conv of mine; give the model"):
        import_weights(network(convolution()), read_caffemodel(path), path)
    assert import_weights(network(convolution("relu")), read_caffemodel(path), path).unset == []
    path = caffe_file(tmp_path, CONV + CLASSIFIER + prototxt.layer("relu", "ReLU", "classifier"))
    with pytest.raises(UsageError, match="no function follows layer conv, relu follows conv of mine"):
        import_weights(network(convolution("relu")), read_caffemodel(path), path)


def test_pictures_are_normalised_as_the_caffemodel_says(tmp_path, capsys):
    """Blue first, means before the scale."""
    data = "transform_param { mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.5 }"
    path = caffe_file(tmp_path, 'layer { name: "data" type: "Data" top: "data" ' + data + " }" + CONV + CLASSIFIER)
    model = network(mark(keras.layers.Rescaling(1.0), normalises=True), convolution())
    found = import_weights(model, read_caffemodel(path), path).normalisation
    np.testing.assert_allclose(found.offset, (-61.5, -58.5, -52))
    np.testing.assert_allclose(keras.Model(model.input, model.layers[1].output)(pictures()),
                               (pictures() - (123, 117, 104)) * 0.5, rtol=1e-6)
    with pytest.raises(UsageError, match=r"no layer that normalises as pixel \* 0.5 \+ \(-61.5, -58.5, -52\)"):
        import_weights(network(convolution()), read_caffemodel(path), path)
    mean = data.replace("scale: 0.5", 'mean_file: "mean.binaryproto"')
    path = caffe_file(tmp_path, 'layer { name: "data" type: "Data" top: "data" ' + mean + " }" + CONV + CLASSIFIER)
    assert import_weights(model, read_caffemodel(path), path).normalisation is None
    assert "mean.binaryproto, a mean picture, was taken off its pictures" in capsys.readouterr().err


def test_broken_weights_are_refused_by_name(tmp_path):
    model = network(convolution())
    kernel, bias = model.get_layer("conv").get_weights()
    for value, weight in ((np.nan, "kernel"), (np.inf, "bias")):
        changed = [kernel.copy(), bias.copy()]
        changed[weight == "bias"].flat[1] = value
        model.get_layer("conv").set_weights(changed)
        path = saved(tmp_path, model)
        for start in (copy_weights, transfer_weights):
            with pytest.raises(RunError, match=f"{path}: conv/{weight} holds NaN or infinity, 1 of .* numbers"):
                start(network(convolution()), path, PLAIN)


@pytest.mark.parametrize("command", ["predict --input_path {0} --output_path {0}/out", "export --format keras --out "
                                     "{0}/out.keras", "evaluate_model --images_path {0} --segs_path {0}/labels",
                                     "demo --images_path {0} --out {0}/out"], ids=lambda text: text.split()[0])
def test_commands_refuse_broken_weights(tmp_path, capsys, command):
    import cv2

    model = network(convolution())
    model.get_layer("classifier").set_weights([np.full((1, 1, 4, 3), np.inf), np.zeros(3)])
    path = saved(tmp_path, model)
    pairs = tmp_path / "pairs"
    (pairs / "labels").mkdir(parents=True)
    for folder in (pairs, pairs / "labels"):
        cv2.imwrite(f"{folder}/a.png", np.arange(1024, dtype=np.uint8).reshape(32, 32) % 3)
    assert main([*command.format(pairs).split(), "--checkpoints_path", str(path)]) == 1
    line = capsys.readouterr().err.strip()
    assert f"{path}: classifier/kernel holds NaN or infinity, 12 of 12 numbers; take an earlier checkpoint" in line
    assert not list(pairs.glob("out*"))


def test_networks_in_memory_too():
    from segnet_hpu.inference.predictor import Predictor
    from segnet_hpu.interchange.export.serving import Serving

    model = network(convolution())
    model.get_layer("conv").set_weights([np.full((3, 3, 3, 4), np.nan), np.zeros(4)])
    for use in (Predictor, lambda model: Serving.of(model, "logits")):
        with pytest.raises(RunError, match="mine: conv/kernel holds NaN or infinity, 108 of 108"):
            use(model)
