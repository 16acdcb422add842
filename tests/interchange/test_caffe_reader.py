"""Reading .caffemodel files: both formats, real ones, and damaged ones."""

import numpy as np
import pytest

import caffe_files
import prototxt
from caffe_numpy import forward
from segnet_hpu.errors import UsageError
from segnet_hpu.interchange.caffe.reader import read_caffemodel

NET = prototxt.parse(
    prototxt.convolution("conv1", "data", 4, 3, 1, "group: 2 bias_term: false")
    + prototxt.layer("conv1_bn", "BN", "conv1", "conv1")
    + prototxt.layer("relu1", "ReLU", "conv1", "conv1")
    + prototxt.convolution("up", "conv1", 2, 2, 0, "stride: 2", kind="Deconvolution"))


@pytest.fixture(scope="module")
def weights():
    weights = {}
    forward(NET, np.zeros((2, 4, 6)), weights, caffe_files.random_weights())
    return weights


@pytest.mark.parametrize("version,double", [(1, False), (2, False), (2, True)])
def test_a_written_file_comes_back(tmp_path, weights, version, double):
    path = caffe_files.write(tmp_path / "net.caffemodel", NET, weights, version, double)
    layers = read_caffemodel(path)
    assert [layer.name for layer in layers] == ["conv1", "conv1_bn", "relu1", "up"]
    assert [layer.type for layer in layers if layer.blobs] == ["Convolution", "BN", "Deconvolution"]
    assert [layer.groups for layer in layers] == [2, 1, 1, 1]
    assert (layers[3].bottoms, layers[3].tops) == (("conv1",), ("up",))
    assert layers[0].blobs[0].shape == (4, 1, 3, 3) and layers[3].blobs[0].shape == (4, 2, 2, 2)
    for layer in layers:
        expected = weights.get(layer.name, [])
        assert len(layer.blobs) == len(expected)
        for blob, value in zip(layer.blobs, expected, strict=True):
            assert blob.dtype == np.float32
            np.testing.assert_array_equal(blob.ravel(), value.ravel())


@pytest.mark.parametrize("name,numbers", [("snapshot_iter_25000", 371_641), ("bn_conv_merged_weights", 375_441)])
def test_real_files(real_data, name, numbers):
    path = real_data / f"weights/enet_caffe/{name}.caffemodel"
    found = {layer.name: layer.blobs for layer in read_caffemodel(path) if layer.blobs}
    expected = caffe_files.read(path)
    assert found.keys() == expected.keys() and len(found) == 244
    assert sum(blob.size for blobs in found.values() for blob in blobs) == numbers
    for layer, blobs in expected.items():
        for blob, value in zip(found[layer], blobs, strict=True):
            np.testing.assert_array_equal(blob, value)


def refused(path, message):
    with pytest.raises(UsageError, match=message) as caught:
        read_caffemodel(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path, weights, number):
    broken = weights["up"][0].copy()
    broken.flat[5] = number
    path = caffe_files.write(tmp_path / "net.caffemodel", NET, weights | {"up": [broken, *weights["up"][1:]]})
    refused(path, "layer up is damaged .NaN or infinity among its numbers.")


def test_every_truncation_is_refused(tmp_path, weights):
    whole = caffe_files.write(tmp_path / "net.caffemodel", NET, weights).read_bytes()
    path = tmp_path / "cut.caffemodel"
    for length in (3, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, "is damaged or no .caffemodel")


@pytest.mark.parametrize("content,message", [
    (b"", "holds no layer with weights"),
    (b'name: "segnet"\nlayer { name: "conv1" }\n', "is damaged or no .caffemodel"),
    (np.random.default_rng(0).bytes(5000), "is damaged or no .caffemodel"),
])
def test_what_is_no_caffemodel(tmp_path, content, message):
    path = tmp_path / "x.caffemodel"
    path.write_bytes(content)
    refused(path, message)


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "none.caffemodel", "No such file")
    refused(tmp_path, "Is a directory")


def test_a_network_without_weights_and_a_blob_of_the_wrong_length(tmp_path, weights):
    refused(caffe_files.write(tmp_path / "bare.caffemodel", NET, {}), "holds no layer with weights")
    message = caffe_files.NetParameter()
    blob = message.layer.add(name="conv1", type="Convolution").blobs.add(data=[1, 2, 3])
    blob.shape.dim.extend([2, 2])
    path = tmp_path / "short.caffemodel"
    path.write_bytes(message.SerializeToString())
    refused(path, r"layer conv1 is damaged \(3 numbers for a blob of shape \(2, 2\)\)")
