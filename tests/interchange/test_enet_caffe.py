"""Two real .caffemodel files of an ENet, on a real picture, against their prototxts run in NumPy."""

import cv2
import numpy as np
import pytest

import caffe_files
import prototxt
from caffe_numpy import forward
from segnet_hpu.interchange.caffe.importer import import_weights
from segnet_hpu.interchange.caffe.reader import read_caffemodel
from segnet_hpu.models.build import build_model

SIZE = (88, 120)


@pytest.fixture(scope="module")
def picture(real_data):
    """RGB, a street of CamVid made small."""
    path = sorted((real_data / "camvid/val").glob("*.png"))[0]
    return cv2.resize(cv2.imread(str(path)), SIZE[::-1], interpolation=cv2.INTER_AREA)[..., ::-1]


@pytest.fixture(scope="module")
def files(real_data):
    folder = real_data / "weights/enet_caffe"
    return {"merged": (folder / "bn_conv_merged_weights.caffemodel", folder / "bn_conv_merged_model.prototxt"),
            "unmerged": (folder / "snapshot_iter_25000.caffemodel", folder / "train_val.prototxt")}


def run(files, kind, picture):
    """Return (model, Imported, our logits, NumPy's logits), both (H, W, 5)."""
    weights, text = files[kind]
    # As at test time: batch norm takes scale and shift alone.
    net = prototxt.parse(text.read_text().replace("LEARN", "INFERENCE"))
    expected = forward(net, picture[..., ::-1].transpose(2, 0, 1), caffe_files.read(weights))["deconv6_0_0"]
    model = build_model("enet", 5, *SIZE)
    result = import_weights(model, read_caffemodel(weights), weights)
    return model, result, np.asarray(model(picture[None].astype(np.float32)))[0], expected.transpose(1, 2, 0)


@pytest.mark.parametrize("kind", ["merged", "unmerged"])
def test_real_weights_on_a_real_picture(files, picture, kind):
    model, result, found, expected = run(files, kind, picture)
    assert result.unset == result.unused == []
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
