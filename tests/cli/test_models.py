"""`segnet-hpu models`, as users run it."""

import json

import cv2
import pytest

from segnet_hpu.models.registry import MODELS


def test_the_plain_list(cli, tmp_path):
    done = cli("models", "--json", "models.json")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:len(MODELS) + 1]] == list(MODELS)
    assert "resnet50_unet" in done.stdout and "ENCODER_DECODER of vanilla, vgg16, " in lines[-1]
    rows = {row["name"]: row for row in json.loads((tmp_path / "models.json").read_text())}
    assert rows["vgg_segnet"]["input"] == [416, 608] and rows["unet"]["pretrained"] is None
    assert rows["vgg_segnet"]["pretrained"].endswith("vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5")


def test_details_and_a_picture(cli, tmp_path):
    done = cli("models", "--name", "vgg_segnet", "--plot", "net.png", "--json", "net.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-9:-3] == ["vgg_segnet", "vgg16", "segnet", "416x608", "208x304", "2"]
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


@pytest.mark.parametrize("flags,message", [
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
