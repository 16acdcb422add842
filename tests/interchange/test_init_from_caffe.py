"""--init_from FILE.caffemodel: training starts from the authors' weights, for classes of its own."""

import keras
import numpy as np
import pytest

import caffe_files
import prototxt
from caffe_numpy import forward
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.transfer import transfer_weights
from segnet_hpu.models.build import build_model

SIZE = (16, 16)
NET = prototxt.parse(prototxt.segnet_basic(SIZE, 11))


@pytest.fixture(scope="module")
def weights():
    blobs = {}
    forward(NET, np.zeros((3, *SIZE)), blobs, caffe_files.random_weights())
    return blobs


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return build_model("segnet_basic", 19, *SIZE)


def test_all_but_the_classifier(tmp_path, weights, model):
    path = caffe_files.write(tmp_path / "camvid.caffemodel", NET, weights, version=1)
    before = model.get_layer("conv_classifier").get_weights()
    line = transfer_weights(model, path)
    assert line.startswith(f"{path}: took 16 of 17 layers")
    assert line.endswith("left at random: conv_classifier (1x1x64x19, the file has 1x1x64x11)")
    kernel = weights["conv1"][0].transpose(2, 3, 1, 0)[:, :, ::-1]  # of BGR, ours of RGB
    np.testing.assert_array_equal(model.get_layer("conv1").get_weights()[0], kernel)
    bias = weights["conv_decode1"][1].ravel()
    np.testing.assert_array_equal(model.get_layer("conv_decode1").get_weights()[1], bias)
    np.testing.assert_array_equal(model.get_layer("conv_classifier").get_weights()[0], before[0])


def test_what_the_file_lacks_stays_as_it_was(tmp_path, weights, model):
    part = {name: blobs for name, blobs in weights.items() if name != "conv3"}
    net = {"layer": [one for one in NET["layer"] if one["name"][0] != "conv3"]}
    path = caffe_files.write(tmp_path / "camvid.caffemodel", net, part)
    before = model.get_layer("conv3").get_weights()[0]
    assert "conv3 (not in the file)" in transfer_weights(model, path)
    np.testing.assert_array_equal(model.get_layer("conv3").get_weights()[0], before)


def test_another_network_is_refused(tmp_path, weights):
    path = caffe_files.write(tmp_path / "camvid.caffemodel", NET, weights)
    with pytest.raises(UsageError, match="has no layer of unet_mini"):
        transfer_weights(build_model("unet_mini", 3, 32, 32), path)
