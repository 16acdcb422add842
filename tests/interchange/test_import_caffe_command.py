"""`segnet-hpu import_caffe`: from a .caffemodel to a labelled picture, and what it refuses."""

import json
import shlex
import zipfile

import cv2
import numpy as np
import pytest

import caffe_files
import prototxt
from caffe_numpy import forward
from segnet_hpu.cli import main

SIZE = (30, 44)
NET = prototxt.parse(prototxt.segnet_basic(SIZE, 4) + prototxt.convolution("extra", "conv_classifier", 2, 1, 0))
COMMAND = (f"import_caffe --caffemodel net.caffemodel --model segnet_basic --input_height {SIZE[0]} "
           f"--input_width {SIZE[1]} --out made.keras --n_classes ")


@pytest.fixture(scope="module")
def picture():
    """BGR, as OpenCV and Caffe have it."""
    return cv2.resize(np.random.default_rng(5).integers(0, 256, (5, 7, 3), np.uint8), SIZE[::-1])


@pytest.fixture(scope="module")
def net(picture):
    """(weights, logits (4, H, W) of the picture)."""
    weights = {}
    blobs = forward(NET, picture.transpose(2, 0, 1), weights, caffe_files.random_weights())
    return weights, blobs["conv_classifier"]


@pytest.fixture
def place(tmp_path, monkeypatch, net):
    monkeypatch.chdir(tmp_path)
    caffe_files.write(tmp_path / "net.caffemodel", NET, net[0], version=1)
    return tmp_path


def test_from_a_file_to_a_labelled_picture(cli, place, net, picture):
    done = cli(*shlex.split(COMMAND), 4, "--class_names=a,b,c,d", "--palette=voc")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["made.keras: segnet_basic with 17 layers of net.caffemodel",
                                        "not in the model, left out: extra"]
    cv2.imwrite("picture.png", picture)
    predict = "predict --checkpoints_path made.keras --input_path picture.png --output_path ids.png --ids"
    assert main(predict.split()) == 0
    ids, logits = cv2.imread("ids.png", cv2.IMREAD_UNCHANGED), net[1]
    chosen = np.take_along_axis(logits, ids[None].astype(int), 0)[0]
    assert np.unique(ids).size > 1 and (logits.max(0) - chosen).max() < 1e-4 * np.abs(logits).max()
    with zipfile.ZipFile("made.keras") as archive:
        facts = json.loads(archive.read("segnet_hpu/facts.json"))
    assert facts == {"class_names": "a,b,c,d", "palette": "voc", "ignore_label": None,
                     "imported_from": "net.caffemodel"}


def test_what_the_file_lacks_is_said(place, net, capsys):
    weights = {name: blobs for name, blobs in net[0].items() if name not in ("conv2_bn", "conv3", "conv3_bn")}
    part = {"layer": [one for one in NET["layer"] if one["name"][0] in weights]}
    caffe_files.write(place / "net.caffemodel", part, weights)
    assert main(shlex.split(COMMAND) + ["4"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "batch norms that are none in the file, set to change nothing: conv2_bn",
        "not in the file, left at random: conv3, conv3_bn", "not in the model, left out: extra"]


@pytest.mark.parametrize("arguments,words", [
    ("12", ["net.caffemodel: layer conv_classifier holds 4x64x1x1, ", "takes 1x1x64x12, 12", "classes"]),
    ("4 --out made.h5", ["--out made.h5", "ends in .keras"]),
    ("4 --out net.keras", ["--out net.keras exists", "another name"]),
    ("4 --out net.caffemodel/made.keras", ["--out net.caffemodel/made.keras", "no folder"]),
    ("4 --caffemodel none.caffemodel", ["none.caffemodel", "No such file"]),
    ("4 --caffemodel net.keras", ["net.keras is damaged or no .caffemodel"]),
    ("4 --class_names a,b", ["--class_names 'a,b' holds 2", "expected 4"]),
    ("30 --palette voc", ["--palette voc has 21 classes, --n_classes is 30"]),
    ("4 --model segnet_basik", ["--model is 'segnet_basik'", "Did you mean segnet_basic?"]),
    ("4 --model vgg_segnet --input_height 33", ["--input_height is 33", "32 or 48"]),
    ("4 --model vgg_segnet --input_height 32 --input_width 32", ["no layer of vgg_segnet", "conv1, conv1_bn, conv2"]),
])
def test_refusals(place, capsys, arguments, words):
    (place / "net.keras").write_bytes(b"a model of days")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert main(shlex.split(COMMAND + arguments)) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and [word for word in words if word not in err] == []
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before
