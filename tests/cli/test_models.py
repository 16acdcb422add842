"""`segnet-hpu models`, as users run it."""

import json

import cv2
import pytest

from segnet_hpu.cli import main
from segnet_hpu.models.registry import MODELS


def test_the_plain_list(cli, tmp_path):
    done = cli("models", "--json", "models.json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:len(MODELS) + 1]] == list(MODELS)
    assert "resnet50_unet" in done.stdout
    assert "ENCODER_DECODER of efficientnet, efficientnet_v2, mobilenet, " in lines[-1]
    rows = {row["name"]: row for row in json.loads((tmp_path / "models.json").read_text())}
    assert rows["vgg_segnet"]["input"] == [416, 608] and rows["unet"]["pretrained"] is None
    assert rows["vgg_segnet"]["pretrained"].endswith("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")


def test_details_and_a_picture(cli, tmp_path):
    done = cli("models", "--name", "vgg_segnet", "--plot", "net.png", "--json", "net.json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[1].split()[:6] == ["vgg_segnet", "vgg16", "segnet", "416x608", "208x304", "2"]
    assert lines[2] == "options: level=3,use_upsampling=true"
    assert "11,554,572" in done.stdout
    row, = json.loads((tmp_path / "net.json").read_text())
    assert row["parameters"] == 11_554_572 and row["gflops"] > 100
    picture = cv2.imread(str(tmp_path / "net.png"))
    assert picture.shape[0] > 200 and picture.shape[1] > 600
    # White paper, and more than a few pixels that are not.
    assert 0.02 < (picture.min(-1) < 250).mean() < 0.6


def test_another_size_and_number_of_classes(cli, tmp_path):
    done = cli("models", "--name", "unet_mini,fcn_8_mobilenet", "--n_classes", "2", "--input_height", "64",
               "--input_width", "96", "--json", "m.json")
    assert done.returncode == 0, done.stderr
    mini, fcn = json.loads((tmp_path / "m.json").read_text())
    assert (mini["output"], mini["output_stride"]) == ([64, 96], 1)
    assert (fcn["output"], fcn["output_stride"]) == ([72, 104], 1)


def test_options_and_layers(tmp_path, capsys):
    """The wide FCN-8s of VGG16 at 160x576, the sizes by hand."""
    assert main(["models", "--name", "fcn_8s_wide_vgg", "--n_classes", "2", "--input_height", "160", "--input_width",
                 "576", "--model_options", "width=64", "--layers", "--json", str(tmp_path / "m.json")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "options: width=64,dropout=0.5,skip_scale=0.001:0.01,sigma=0.01" in printed
    row, = json.loads((tmp_path / "m.json").read_text())
    layers = {one["layer"]: one for one in row["layers"]}
    assert layers["fc6"]["output"] == [5, 18, 64] and layers["fc6"]["parameters"] == 49 * 512 * 64 + 64
    assert layers["decoder_up4"]["output"] == [10, 36, 512]
    assert layers["decoder_up3"]["output"] == [20, 72, 256]
    assert layers["decoder_up3"]["parameters"] == 8 * 8 * 512 * 256
    assert layers["classifier_up"]["output"] == [160, 576, 2]
    line = next(line for line in printed if line.startswith("decoder_up3 "))
    assert line.split() == ["decoder_up3", "Conv2DTranspose", "20x72x256", "8,388,608"]
    assert sum(one["parameters"] for one in row["layers"]) == row["parameters"]


@pytest.mark.parametrize("flags,message", [
    ("--layers", "--layers lists one network's layers; expected --name with one model"),
    ("--name unet --model_options skip_scale=at_once", "unet has no option skip_scale; it has use_upsampling, relu."),
    ("--name fcn_8s_vgg --model_options skip_scale=often", "skip_scale is 'often'; expected none, at_once ("),
    ("--name fcn_8s_vgg --model_options dropout", "is 'dropout'; expected options such as dropout=0.5"),
    ("--name vgg_segnt", "Did you mean vgg_segnet?"),
    ("--plot net.png", "--plot draws one network; expected --name"),
    ("--name unet,segnet --plot net.png", "--plot draws one network"),
    ("--name pspnet_50 --input_height 480", "pspnet_50 takes multiples of 48 plus 41: 473 or 521"),
    ("--name segnet --plot net.xyz", "--plot net.xyz: expected a name that ends in .png"),
])
def test_refusals(cli, flags, message, tmp_path):
    done = cli("models", *flags.split())
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


OWN = """import keras

def net(n_classes, height, width):
    image = keras.Input((height, width, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="first")(image)
    return keras.Model(image, keras.layers.Conv2D(n_classes, 1, name="last")(x), name="mine")
"""


def test_a_model_of_ones_own(tmp_path, capsys, monkeypatch):
    """Its cost by hand: 24x32 outputs of 27 and of 4 multiply-adds for each of 4 and of 5 channels."""
    (tmp_path / "of_mine.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    command = ["models", "--n_classes", "5", "--json", "m.json", "--name"]
    assert main([*command, "of_mine:net,unet_mini", "--input_height", "48", "--input_width", "64"]) == 0
    mine, listed = json.loads((tmp_path / "m.json").read_text())
    assert mine["name"] == "of_mine:net" and listed["name"] == "unet_mini" and mine["encoder"] is None
    assert (mine["input"], mine["output"], mine["output_stride"]) == ([48, 64], [24, 32], 2)
    assert mine["parameters"] == 27 * 4 + 4 + 4 * 5 + 5
    assert mine["gflops"] == round(2 * 24 * 32 * (27 * 4 + 4 * 5) / 1e9, 3)
    capsys.readouterr()
    for words, message in (([], "a model of your own needs --input_height and --input_width"),
                           (["--input_height", "48", "--input_width", "64", "--model_options", "a=1"],
                            "--model_options is for the models that")):
        assert main([*command, "of_mine:net", *words]) == 2 and message in capsys.readouterr().err
