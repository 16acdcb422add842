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


def test_merged_and_unmerged_agree(files, picture, tmp_path):
    """One file is the other with batch norm's statistics absorbed and the result merged into the convolutions.

    What was absorbed stands in neither, but follows from both: a factor for each filter, and a shift.
    """
    weights, text = files["unmerged"]
    apart, together = caffe_files.read(weights), caffe_files.read(files["merged"][0])
    for name in [name for name in apart if name.startswith("bn")]:
        if together[name][0].any():
            apart[name] = together[name]
            continue
        convolution = name.replace("bn", "conv")
        before, after = apart[convolution], together[convolution]
        ratio = (after[0] / before[0]).reshape(len(after[0]), -1)
        np.testing.assert_allclose(ratio, np.median(ratio, 1, keepdims=True).repeat(ratio.shape[1], 1), rtol=1e-3)
        scale = np.median(ratio, 1)
        shift = after[1] - scale * (before[1] if len(before) > 1 else 0)
        apart[name] = [scale.reshape(1, -1, 1, 1), shift.reshape(1, -1, 1, 1)]
    net = prototxt.parse(text.read_text())
    net["layer"] = [one for one in net["layer"] if "bottom" in one]
    path = caffe_files.write(tmp_path / "absorbed.caffemodel", net, apart)
    model = build_model("enet", 5, *SIZE)
    assert not import_weights(model, read_caffemodel(path), path).merged
    _, result, expected, _ = run(files, "merged", picture)
    assert len(result.merged) == 83
    found = np.asarray(model(picture[None].astype(np.float32)))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
